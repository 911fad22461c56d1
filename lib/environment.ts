import { RESOURCE_VARIABLES } from '#shared/platform/aws/config';
import { register } from '../functions/api/users.routes.ts';
import type { FunctionEntry } from '../functions/manifest.ts';
import type { Resources } from './resources.ts';
import type { Settings } from './settings.ts';

/** How often a run of the market sync asks each venue. */
export const marketSyncSeconds = 5;
/** How long a run goes on: until just before the next one of the same venue begins. */
export const marketSyncWindowSeconds = 55;

/** Two stages of one account count for themselves. */
export const metricsNamespace = (stage: Settings['stage']): string => `AlphaPulse/${stage}`;

/** A function's environment: the configuration, and the names of the resources that it is granted. Nothing in it is secret. */
export const environmentOf = (
  { grants, trigger }: FunctionEntry,
  {
    settings,
    version,
    resources,
  }: { readonly settings: Settings; readonly version: string; readonly resources: Resources },
): Record<string, string> => {
  const { state, queues, sockets, mail } = resources;
  const queueNames = [...(grants.send ?? []), ...(grants.receive ?? []), ...(grants.watch ?? [])];
  return {
    ALPHAPULSE_VERSION: version,
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(settings.stage),
    ALPHAPULSE_VENUES: settings.venues.join(','),
    ALPHAPULSE_SYMBOLS: settings.symbols.join(','),
    ALPHAPULSE_MAIL_FROM: settings.mailFrom,
    ...(grants.mail && settings.appUrl !== undefined && { ALPHAPULSE_APP_URL: settings.appUrl }),
    ALPHAPULSE_CORS_ORIGINS: settings.allowedOrigins.join(','),
    ...((trigger.type === 'http' || trigger.type === 'socket') && {
      ALPHAPULSE_REQUEST_LIMIT_FACTOR: String(settings.requestLimitFactor),
    }),
    ...(grants.venues &&
      Object.keys(settings.venueUrls).length > 0 && { ALPHAPULSE_VENUE_URLS: JSON.stringify(settings.venueUrls) }),
    ...(trigger.type === 'schedule' &&
      trigger.each === 'venue' && {
        ALPHAPULSE_MARKET_SYNC_SECONDS: String(marketSyncSeconds),
        ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS: String(marketSyncWindowSeconds),
      }),
    ALPHAPULSE_REGISTRATION: settings.registration,
    ...(registers(trigger) &&
      settings.bootstrapCodeHash !== undefined && { ALPHAPULSE_BOOTSTRAP_CODE_HASH: settings.bootstrapCodeHash }),
    ...(grants.table && { [RESOURCE_VARIABLES.table]: state.table.tableName }),
    ...(grants.secretFamilies && { ALPHAPULSE_ACCOUNTS_PER_SECRET: String(settings.accountsPerSecret) }),
    ...((grants.secrets ?? grants.secretFamilies) && { [RESOURCE_VARIABLES.secretsPrefix]: state.secretsPrefix }),
    ...(grants.push && { [RESOURCE_VARIABLES.webSocketEndpoint]: sockets.endpoint }),
    ...(grants.mail && { [RESOURCE_VARIABLES.mailConfigurationSet]: mail.configurationSetName }),
    ...Object.fromEntries(queueNames.map((name) => [RESOURCE_VARIABLES.queueUrl(name), queues.get(name).queueUrl])),
  };
};

const registers = (trigger: FunctionEntry['trigger']): boolean =>
  trigger.type === 'http' && trigger.routes.some(({ path }) => path === register.path);
