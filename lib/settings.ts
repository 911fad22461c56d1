import * as z from 'zod';
import { exchangeIds } from '#shared/exchange/venues/ccxt/exchanges';
import { MarketSymbol } from '#shared/model/symbols';
import { accounts } from '#shared/platform/config/accounts';
import { exchange } from '#shared/platform/config/exchange';
import { defaultOf, fromText } from '#shared/platform/config/setting';

const venuesMax = 20;
const symbolsMax = 100;
const originsMax = 20;

const listed = z.string().transform((text) => text.split(',').map((part) => part.trim()));

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;

/** Recordings are files on one machine, so the simulator is the only venue here besides the exchanges. */
const isVenue = (id: string): boolean => id === 'sim' || exchangeIds().includes(id);

const Domain = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a domain such as "api.example.com"');

const Mail = z.email('must be a mail address');
const Origins = listed.pipe(
  z
    .array(z.string().refine(isOrigin, 'must be origins such as "https://app.example.com", separated by commas'))
    .max(originsMax),
);

const whenLeftOut = (message: string) => ({
  error: (issue: { readonly input?: unknown }) => (issue.input === undefined ? message : undefined),
});
const inProduction = whenLeftOut('is needed in production');

const common = {
  venues: listed
    .pipe(z.array(z.string().refine(isVenue, 'must be exchanges of ccxt, separated by commas, or sim')).max(venuesMax))
    .default(['binance']),
  symbols: listed.pipe(z.array(MarketSymbol).max(symbolsMax)).default(['BTC/USDT', 'ETH/USDT']),
  venueUrls: fromText(exchange.venueUrls).default({}),
  accountsPerSecret: z.coerce.number().int().min(1).max(50).default(defaultOf(accounts.perSecret)),
  requestLimitFactor: z.coerce.number().min(0.1).max(1000).default(1),
  registration: z.enum(['open', 'first-user'], 'must be open or first-user').default('first-user'),
  mailIdentity: z.enum(['create', 'import'], 'must be create or import').default('create'),
  bootstrapCodeHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
    .exactOptional(),
  operatorMail: Mail.exactOptional(),
  appUrl: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).exactOptional(),
  domain: Domain.exactOptional(),
  socketDomain: Domain.exactOptional(),
  certificateArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:acm:/, "must be the ARN of a certificate of ACM in the deployment's region")
    .exactOptional(),
  hostedZoneId: z
    .string()
    .regex(/^Z[A-Z0-9]{1,31}$/, 'must be the id of a hosted zone of Route 53')
    .exactOptional(),
  data: z.enum(['keep', 'delete'], 'must be keep or delete').default('keep'),
};

const Context = z.discriminatedUnion(
  'stage',
  [
    z.object({
      stage: z.literal('dev'),
      ...common,
      mailFrom: Mail.default('alphapulse@example.com'),
      allowedOrigins: Origins.default(['http://localhost:5173']),
    }),
    z.object({
      stage: z.literal('prod'),
      ...common,
      mailFrom: z.string(inProduction).pipe(Mail),
      allowedOrigins: z.string(inProduction).pipe(Origins),
    }),
  ],
  'must be dev or prod',
);

/** Custom domains. API Gateway can't serve HTTP and WebSocket under one name, so there are two, with one certificate for both. */
export interface Domains {
  readonly http: string;
  readonly sockets: string;
  readonly certificateArn: string;
  /** Where the address records are made; without it they are made by hand. */
  readonly hostedZoneId?: string;
}

const WithDomains = Context.transform(
  ({ domain, socketDomain, certificateArn, hostedZoneId, ...settings }, context) => {
    const needed = { domain, socketDomain, certificateArn };
    const given = Object.entries({ ...needed, hostedZoneId }).filter(([, value]) => value !== undefined);
    if (domain === undefined || socketDomain === undefined || certificateArn === undefined) {
      const [name] = given[0] ?? [];
      if (name === undefined) return settings;
      for (const [missing, value] of Object.entries(needed)) {
        if (value === undefined)
          context.addIssue({ code: 'custom', path: [missing], message: `is needed with ${name}` });
      }
      return z.NEVER;
    }
    const domains: Domains = {
      http: domain,
      sockets: socketDomain,
      certificateArn,
      ...(hostedZoneId === undefined ? {} : { hostedZoneId }),
    };
    return { ...settings, domains };
  },
);

/**
 * The settings of one deployment: `mailFrom` is the sender of mails, and `mailIdentity` whether SES is to make an
 * identity of it or has one, of the address or its domain; `operatorMail` receives the alarms;
 * `venueUrls` sends a venue's requests to another origin, such as a proxy with a fixed address; `requestLimitFactor`
 * multiplies the request limits; `data` decides whether the table and the secrets are deleted with their stack.
 */
export type Settings = Readonly<z.infer<typeof Context>> & { readonly domains?: Domains };

/** The names of the settings in the CDK context. */
export const SETTING_NAMES = [
  'stage',
  'venues',
  'venueUrls',
  'symbols',
  'mailFrom',
  'mailIdentity',
  'accountsPerSecret',
  'registration',
  'bootstrapCodeHash',
  'operatorMail',
  'appUrl',
  'allowedOrigins',
  'requestLimitFactor',
  'domain',
  'socketDomain',
  'certificateArn',
  'hostedZoneId',
  'data',
] as const;

export type SettingName = (typeof SETTING_NAMES)[number];

/** Settings that are missing or wrong. */
export class SettingsError extends Error {
  readonly complaints: readonly { readonly setting: string; readonly message: string }[];

  constructor(complaints: SettingsError['complaints']) {
    const lines = complaints.map(({ setting, message }) => `-c ${setting}=…: ${message}`);
    super(`AlphaPulse can't be deployed with these settings:\n  ${[...new Set(lines)].join('\n  ')}`);
    this.complaints = complaints;
  }
}

/**
 * The settings of a deployment from the CDK context, as `-c venues=binance,kraken` gives them. A `dev` deployment needs none.
 * @throws {SettingsError} naming every setting that is missing or wrong
 */
export const readSettings = (context: (name: SettingName) => unknown): Settings => {
  const given = SETTING_NAMES.flatMap((name) => {
    const value = context(name);
    return value === undefined || value === '' ? [] : [[name, value]];
  });
  const read = WithDomains.safeParse({ stage: 'dev', ...Object.fromEntries(given) });
  if (read.success) return read.data;
  throw new SettingsError(read.error.issues.map(({ path, message }) => ({ setting: String(path[0]), message })));
};
