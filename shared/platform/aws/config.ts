import * as z from 'zod';
import { ACCOUNT_SYNC_SECONDS_DEFAULT, ACCOUNTS_PER_SECRET_DEFAULT, type Config, type QueueName } from '../ports.ts';

/** A function's environment: what the deployment set. */
export type Environment = Readonly<Record<string, string | undefined>>;

const listed = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(z.string().min(1, 'an entry of the list is empty')));

/** What replaces the origin of each venue's URLs, as JSON: `{"binance":"http://127.0.0.1:9001"}`. */
export const VenueUrls = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('must be JSON');
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.url({ protocol: /^https?$/ })));

const Variables = z.object({
  ALPHAPULSE_VERSION: z.string(),
  ALPHAPULSE_VENUES: listed,
  ALPHAPULSE_SYMBOLS: listed.optional(),
  ALPHAPULSE_VENUE_URLS: VenueUrls.optional(),
  ALPHAPULSE_MARKET_SYNC_SECONDS: z.coerce.number().min(0.05).max(60).default(5),
  ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS: z.coerce.number().min(0).max(840).default(0),
  ALPHAPULSE_ACCOUNT_SYNC_SECONDS: z.coerce.number().min(1).max(3600).default(ACCOUNT_SYNC_SECONDS_DEFAULT),
  ALPHAPULSE_ACCOUNTS_PER_SECRET: z.coerce.number().int().min(1).max(50).default(ACCOUNTS_PER_SECRET_DEFAULT),
  ALPHAPULSE_REGISTRATION: z.enum(['open', 'first-user']).default('first-user'),
  ALPHAPULSE_MAIL_FROM: z.string(),
  ALPHAPULSE_APP_URL: z.url({ protocol: /^https?$/ }).optional(),
  ALPHAPULSE_CORS_ORIGINS: listed.optional(),
  ALPHAPULSE_REQUEST_LIMIT_FACTOR: z.coerce.number().min(0.1).max(1000).default(1),
  ALPHAPULSE_SIM_SEED: z.string().default('alphapulse'),
});

/**
 * The configuration of this installation. An empty variable counts as missing.
 * @throws {Error} naming every variable that is missing or wrong; values are not repeated
 */
export const readConfig = (environment: Environment): Config => {
  const present = Object.fromEntries(
    Object.keys(Variables.shape).flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const read = Variables.safeParse(present);
  if (!read.success) {
    const complaints = read.error.issues.map(({ path: [name, ...within], message }) => {
      const what = within.length > 0 ? ` (${within.join('.')})` : '';
      return `${String(name)}${what}: ${String(name) in present ? message : 'is missing'}`;
    });
    throw new Error(`The environment does not configure AlphaPulse: ${complaints.join('; ')}`);
  }
  const variables = read.data;
  return {
    runtime: 'aws',
    version: variables.ALPHAPULSE_VERSION,
    venues: variables.ALPHAPULSE_VENUES,
    symbols: variables.ALPHAPULSE_SYMBOLS ?? [],
    venueUrls: variables.ALPHAPULSE_VENUE_URLS ?? {},
    marketSyncSeconds: variables.ALPHAPULSE_MARKET_SYNC_SECONDS,
    marketSyncWindowSeconds: variables.ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS,
    accountSyncSeconds: variables.ALPHAPULSE_ACCOUNT_SYNC_SECONDS,
    accountsPerSecret: variables.ALPHAPULSE_ACCOUNTS_PER_SECRET,
    registration: variables.ALPHAPULSE_REGISTRATION,
    simulation: { seed: variables.ALPHAPULSE_SIM_SEED },
    replay: { files: [], speed: 1 },
    mailFrom: variables.ALPHAPULSE_MAIL_FROM,
    emailVerification: 'required',
    ...(variables.ALPHAPULSE_APP_URL === undefined ? {} : { appUrl: variables.ALPHAPULSE_APP_URL }),
    corsOrigins: variables.ALPHAPULSE_CORS_ORIGINS ?? [],
    requestLimitFactor: variables.ALPHAPULSE_REQUEST_LIMIT_FACTOR,
    privateWebhooks: false,
  };
};

/** The variables that name the resources a function may use; the deployment sets those that its manifest entry grants. */
export const RESOURCE_VARIABLES = {
  table: 'TABLE_NAME',
  secretsPrefix: 'SECRETS_PREFIX',
  webSocketEndpoint: 'WEBSOCKET_ENDPOINT',
  /** May be missing: mail is then sent without a configuration set. */
  mailConfigurationSet: 'MAIL_CONFIGURATION_SET',
  /** `QUEUE_URL_DELIVERIES_DEAD` for the queue `deliveries-dead`. */
  queueUrl: (queue: QueueName) => `QUEUE_URL_${queue.toUpperCase().replaceAll('-', '_')}`,
} as const;

/** @throws {Error} the variable is missing or empty */
export const required = (environment: Environment, variable: string): string => {
  const value = environment[variable];
  if (!value) throw new Error(`The environment variable ${variable} is missing`);
  return value;
};
