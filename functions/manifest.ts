import { AUDIT_KEYS } from '#shared/audit/stored';
import { API_KEY_KEYS } from '#shared/auth/stored-api-key';
import { LIMIT_KEYS } from '#shared/limits/rate-limiter';
import type { ItemKind } from '#shared/personal-data/item-kinds';
import type { Platform } from '#shared/platform/ports';
import { QUEUES, type QueueName } from '#shared/platform/queues';
import { routesOf } from './api/routes.ts';
import type { Route } from './http/route.ts';
import { syncTimeoutSeconds } from './queue/account-sync.limits.ts';
import { maxReceives } from './queue/deliver.limits.ts';
import { alertsFollows } from './stream/alerts.kinds.ts';
import { pushFollows } from './stream/push.kinds.ts';
import { namesOf } from './stream/reactions.ts';

/** Names of secrets that functions use; account credentials have names of their own. */
export type SecretName = 'token-signing' | 'webhook-signing' | 'user-sealing';

/** Secrets that functions make as they need them, named `<family>/<number>`. */
export type SecretFamily = 'exchange-credentials';

/** What a function may touch. It gets exactly this, on AWS by its role, on one machine by its platform. */
export interface Grants {
  readonly table?: 'read' | 'read-write';
  /** Of a table that it reads, puts and updates items whose partition key begins so. */
  readonly writeKeys?: readonly string[];
  /** Of a table that it reads, puts, updates and deletes items whose partition key begins so. */
  readonly ownKeys?: readonly string[];
  readonly send?: readonly QueueName[];
  readonly receive?: readonly QueueName[];
  /** Reads the queue's depth. */
  readonly watch?: readonly QueueName[];
  /** Reads them; one that is missing on one machine is made at first use. */
  readonly secrets?: readonly SecretName[];
  /** Changes them. */
  readonly writeSecrets?: readonly SecretName[];
  readonly secretFamilies?: { readonly [family in SecretFamily]?: 'read' | 'read-write' };
  readonly mail?: true;
  readonly push?: true;
  /** Talks to exchanges: its bundle holds the venues. */
  readonly venues?: true;
}

export type Trigger =
  /** HTTP routes; `fallback` also takes every request that no route matches. */
  | { readonly type: 'http'; readonly routes: readonly Route[]; readonly fallback?: true }
  /** Checks the caller of every route that is not public. */
  | { readonly type: 'authorizer' }
  /** Once per configured venue with `{ venue }`: each minute on AWS, each market sync period on one machine. */
  | { readonly type: 'schedule'; readonly each: 'venue'; readonly everyMinutes: number }
  /** Once, with `{}`, at this period; what runs each minute on AWS, several times within the account sync period on one machine. */
  | { readonly type: 'schedule'; readonly each: 'installation'; readonly everyMinutes: number }
  /** Messages of a queue, which moves those received `maxReceives` times without success to its dead letters. */
  | {
      readonly type: 'queue';
      readonly queue: QueueName;
      readonly batchSize: number;
      readonly maxReceives: number;
      readonly maxConcurrency: number;
    }
  /**
   * Changes of the table whose new item is of one of these kinds. A batch is retried from its first failed record;
   * what failed `maxAttempts` times lands in the dead letters.
   */
  | {
      readonly type: 'stream';
      readonly kinds: readonly ItemKind[];
      readonly batchSize: number;
      readonly maxAttempts: number;
      readonly deadLetters: QueueName;
    }
  /** Routes of the WebSocket API. */
  | { readonly type: 'socket'; readonly routes: readonly ('$connect' | '$disconnect' | '$default')[] };

// biome-ignore lint/suspicious/noExplicitAny: each trigger hands its handlers an event of its own type
type Create = (platform: Platform) => (event: any, context: any) => Promise<any>;

/** One function of the system. */
export interface FunctionEntry {
  /** The source file without its ending, relative to this folder. */
  readonly file: string;
  /** Loads what makes its handler. */
  readonly load: () => Promise<Create>;
  readonly trigger: Trigger;
  readonly grants: Grants;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/** Connections, the sockets of a user, who subscribes to what, and the numbering of their messages. */
const socketKeys = ['CONNECTION#', 'SOCKETS#', 'AUDIENCE#', 'REALTIME'] as const;

/** Every function of the system, by name. `lib/` makes it AWS resources, `local/` a server on one machine. */
export const manifest = {
  authorizer: {
    file: 'api/authorizer',
    load: async () => (await import('./api/authorizer.ts')).createAuthorizer,
    trigger: { type: 'authorizer' },
    // It notes when a key was used, and which were refused.
    grants: { table: 'read', writeKeys: [API_KEY_KEYS, AUDIT_KEYS] },
    memoryMb: 512,
    timeoutSeconds: 5,
  },
  'users-api': {
    file: 'api/users',
    load: async () => (await import('./api/users.ts')).createUsersApi,
    trigger: { type: 'http', routes: routesOf.users },
    // It closes the sockets of sessions that end.
    grants: {
      table: 'read-write',
      // Mails about accounts.
      send: ['deliveries'],
      secrets: ['token-signing', 'webhook-signing', 'user-sealing'],
      push: true,
    },
    // Argon2id is bound by the CPU, which Lambda gives in proportion to memory.
    memoryMb: 1024,
    timeoutSeconds: 10,
  },
  'removal-api': {
    file: 'api/removal',
    load: async () => (await import('./api/removal.ts')).createRemovalApi,
    trigger: { type: 'http', routes: routesOf.removal },
    grants: {
      table: 'read-write',
      // Codes of second factors.
      secrets: ['user-sealing'],
      secretFamilies: { 'exchange-credentials': 'read-write' },
      push: true,
    },
    // Argon2id, as above.
    memoryMb: 1024,
    // Accounts that are being synchronised are waited for.
    timeoutSeconds: 29,
  },
  'alerts-api': {
    file: 'api/alerts',
    load: async () => (await import('./api/alerts.ts')).createAlertsApi,
    trigger: { type: 'http', routes: routesOf.alerts },
    grants: { table: 'read-write' },
    memoryMb: 512,
    timeoutSeconds: 10,
  },
  'market-api': {
    file: 'api/market',
    load: async () => (await import('./api/market.ts')).createMarketApi,
    trigger: { type: 'http', routes: routesOf.market },
    grants: { table: 'read' },
    memoryMb: 512,
    timeoutSeconds: 10,
  },
  'system-api': {
    file: 'api/system',
    load: async () => (await import('./api/system.ts')).createSystemApi,
    trigger: { type: 'http', routes: routesOf.system, fallback: true },
    grants: {
      table: 'read',
      // Who reads the audit log is in it.
      writeKeys: [AUDIT_KEYS],
      watch: QUEUES,
    },
    memoryMb: 512,
    timeoutSeconds: 10,
  },
  'exchange-api': {
    file: 'api/exchange',
    load: async () => (await import('./api/exchange.ts')).createExchangeApi,
    trigger: { type: 'http', routes: routesOf.exchange },
    grants: {
      table: 'read-write',
      // Mails about keys.
      send: ['account-sync', 'deliveries'],
      secretFamilies: { 'exchange-credentials': 'read-write' },
      venues: true,
    },
    memoryMb: 1024,
    // A key is checked at its venue before it is stored, and a deletion waits for a sync to end.
    timeoutSeconds: 29,
  },
  'accounts-dispatch': {
    file: 'schedule/accounts-dispatch',
    load: async () => (await import('./schedule/accounts-dispatch.ts')).createAccountsDispatch,
    trigger: { type: 'schedule', each: 'installation', everyMinutes: 1 },
    // It moves schedules on, which are with their users, and notes when it ran.
    grants: { table: 'read', writeKeys: ['USER#', 'SYSTEM#'], send: ['account-sync'] },
    memoryMb: 512,
    timeoutSeconds: 55,
  },
  'rotate-keys': {
    file: 'schedule/rotate-keys',
    load: async () => (await import('./schedule/rotate-keys.ts')).createRotateKeys,
    trigger: { type: 'schedule', each: 'installation', everyMinutes: 24 * 60 },
    grants: { table: 'read-write', secrets: ['token-signing'], writeSecrets: ['token-signing'] },
    memoryMb: 512,
    timeoutSeconds: 30,
  },
  'account-sync': {
    file: 'queue/account-sync',
    load: async () => (await import('./queue/account-sync.ts')).createAccountSync,
    trigger: { type: 'queue', queue: 'account-sync', batchSize: 1, maxReceives, maxConcurrency: 32 },
    grants: {
      table: 'read-write',
      receive: ['account-sync'],
      send: ['account-sync'],
      secretFamilies: { 'exchange-credentials': 'read' },
      venues: true,
    },
    memoryMb: 512,
    timeoutSeconds: syncTimeoutSeconds,
  },
  'market-sync': {
    file: 'schedule/market-sync',
    load: async () => (await import('./schedule/market-sync.ts')).createMarketSync,
    trigger: { type: 'schedule', each: 'venue', everyMinutes: 1 },
    grants: { table: 'read', ownKeys: ['PRICES#', 'VENUE#'], venues: true },
    memoryMb: 512,
    timeoutSeconds: 75,
  },
  alerts: {
    file: 'stream/alerts',
    load: async () => (await import('./stream/alerts.ts')).createAlertStream,
    trigger: {
      type: 'stream',
      kinds: namesOf(alertsFollows),
      batchSize: 100,
      maxAttempts: 10,
      deadLetters: 'alerts-dead',
    },
    grants: { table: 'read-write', send: ['deliveries'] },
    memoryMb: 512,
    timeoutSeconds: 30,
  },
  push: {
    file: 'stream/push',
    load: async () => (await import('./stream/push.ts')).createPushStream,
    trigger: {
      type: 'stream',
      kinds: namesOf(pushFollows),
      batchSize: 100,
      maxAttempts: 5,
      deadLetters: 'push-dead',
    },
    // It notes which notifications were shown, which are with their users, and how far it is.
    grants: { table: 'read', ownKeys: socketKeys, writeKeys: ['USER#', 'SYSTEM#'], push: true },
    memoryMb: 512,
    timeoutSeconds: 30,
  },
  deliver: {
    file: 'queue/deliver',
    load: async () => (await import('./queue/deliver.ts')).createDeliver,
    trigger: { type: 'queue', queue: 'deliveries', batchSize: 10, maxReceives, maxConcurrency: 10 },
    grants: {
      table: 'read-write',
      receive: ['deliveries'],
      secrets: ['webhook-signing', 'user-sealing'],
      mail: true,
    },
    memoryMb: 512,
    timeoutSeconds: 60,
  },
  sockets: {
    file: 'websocket/sockets',
    load: async () => (await import('./websocket/sockets.ts')).createSockets,
    trigger: { type: 'socket', routes: ['$connect', '$disconnect', '$default'] },
    // It counts handshakes and messages.
    grants: { table: 'read', ownKeys: [...socketKeys, LIMIT_KEYS], writeKeys: ['USER#'], push: true },
    memoryMb: 512,
    timeoutSeconds: 10,
  },
} as const satisfies Record<string, FunctionEntry>;

export type FunctionName = keyof typeof manifest;

/** The manifest's entries with their names. */
export const functions: readonly (FunctionEntry & { readonly name: FunctionName })[] = Object.entries(
  manifest satisfies Record<string, FunctionEntry> as Record<FunctionName, FunctionEntry>,
).map(([name, entry]) => ({ name: name as FunctionName, ...entry }));
