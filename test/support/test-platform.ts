import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import { type FunctionName, functions, type Trigger } from '#functions/manifest';
import { grantedPlatform } from '#local/granted';
import { maxReceivesOf } from '#local/platform';
import { queueEvent } from '#local/queue-event';
import { streamEvent } from '#local/stream-event';
import type { AuditOrigin } from '#shared/audit/entry';
import type { OpenAccountVenue } from '#shared/exchange/account-venue';
import type { Market, Ticker } from '#shared/exchange/venue';
import { Catalog } from '#shared/market/catalog';
import { type StoredTicker, tickerKey } from '#shared/market/tickers';
import type { UserId } from '#shared/model/user-id';
import { auth } from '#shared/platform/config/auth';
import { type SomeSettings, withSettings } from '#shared/platform/config/config';
import { http } from '#shared/platform/config/http';
import { oneMachineConfig } from '#shared/platform/config/one-machine';
import { defaultOf } from '#shared/platform/config/setting';
import type { Network, Platform, Push, Secrets } from '#shared/platform/ports';
import type { QueueName } from '#shared/platform/queues';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteOutbox } from '#shared/platform/sqlite/outbox';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { Users } from '#shared/users/users';
import { ObservedTable } from './observed-table.ts';
import { awakeOn, VirtualClock } from './virtual-clock.ts';

export const testConfig = oneMachineConfig('0.0.0-test', {
  market: { venues: ['sim'], symbols: ['BTC/USDT', 'ETH/USDT'] },
  exchange: { simulationSeed: 'test', replaySpeed: 1 },
  users: { registration: 'open' },
  mail: { from: 'alphapulse@example.com' },
  // Tests send more requests than people do, and all from one address.
  http: { requestLimitFactor: 1000 },
  // The receivers of the tests' webhooks are on this machine.
  notifications: { privateWebhooks: true },
});

/** The settings of a deployment where one machine has others. */
export const DEPLOYED = {
  auth: { sessionCacheSeconds: defaultOf(auth.sessionCacheSeconds) },
  http: { strictTransport: defaultOf(http.strictTransport) },
} satisfies SomeSettings;

/** The origin of a request, where a test does not check it. */
export const testOrigin: AuditOrigin = {
  actor: { kind: 'system' },
  source: { address: '203.0.113.7', userAgent: 'test' },
};

/** Secrets in memory. */
export class MemorySecrets implements Secrets {
  readonly #values = new Map<string, string>();
  async get(name: string) {
    return this.#values.get(name);
  }
  async put(name: string, value: string) {
    this.#values.set(name, value);
  }
  async create(name: string, value: string) {
    const stored = this.#values.get(name) ?? value;
    this.#values.set(name, stored);
    return stored;
  }
  async delete(name: string) {
    this.#values.delete(name);
  }
}

/** Connections as a test sees them: the messages each got, arrays taken apart. */
export class RecordedSockets implements Push {
  readonly #open = new Map<string, unknown[]>();
  /** The frames as they were sent. */
  readonly frames: { readonly connectionId: string; readonly frame: string }[] = [];

  open(connectionId: string): void {
    this.#open.set(connectionId, []);
  }

  drop(connectionId: string): void {
    this.#open.delete(connectionId);
  }

  messages(connectionId: string): readonly unknown[] {
    return this.#open.get(connectionId) ?? [];
  }

  async send(connectionId: string, frame: string): Promise<'sent' | 'gone'> {
    const messages = this.#open.get(connectionId);
    if (messages === undefined) return 'gone';
    this.frames.push({ connectionId, frame });
    const parsed = messageIn(frame);
    messages.push(...(Array.isArray(parsed) ? parsed : [parsed]));
    return 'sent';
  }

  async close(connectionId: string): Promise<void> {
    this.drop(connectionId);
  }
}

/** What a frame says; the frame itself where it is no JSON. */
const messageIn = (frame: string): unknown => {
  try {
    return JSON.parse(frame);
  } catch {
    return frame;
  }
};

/** A Lambda context with what handlers look at. */
export const testContext = {
  functionName: 'test',
  awsRequestId: 'request',
  memoryLimitInMB: '512',
  invokedFunctionArn: 'arn:aws:lambda:local:000000000000:function:test',
  functionVersion: '$LATEST',
  getRemainingTimeInMillis: () => 30_000,
} as unknown as Context;

/** A network that posts webhooks nowhere: it records them and answers what the test says. */
export class RecordedNetwork implements Network {
  readonly posts: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[] = [];
  /** What the next posts answer: a status code, or an error that they throw. 200 when it is empty. */
  readonly answers: (number | Error)[] = [];

  readonly fetch: Network['fetch'] = async () => {
    throw new Error('This test has no venue to fetch from');
  };

  async post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
    this.posts.push({ url, headers, body });
    const answer = this.answers.shift() ?? 200;
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each trigger hands its handlers an event of its own type
type Handler = (event: any, context: Context) => Promise<SQSBatchResponse>;
/** As the manifest loads it; the account sync also takes how it opens venues. */
type Create = (platform: Platform, openAccount?: OpenAccountVenue) => Handler;
type Entry = (typeof functions)[number];

const withTrigger = <T extends Trigger['type']>(type: T) =>
  functions.filter(
    (entry): entry is Entry & { readonly trigger: Extract<Trigger, { type: T }> } => entry.trigger.type === type,
  );

/** The consumers of the streams and queues. */
const loaded = await Promise.all(
  [...withTrigger('stream'), ...withTrigger('queue')].map(async (entry) => ({
    ...entry,
    create: (await entry.load()) as Create,
  })),
);

const withMaxReceives = (name: QueueName) => {
  const maxReceives = maxReceivesOf(name);
  return maxReceives === undefined ? {} : { maxReceives };
};

/**
 * The one-machine platform in memory under a virtual clock, with the stream and queue consumers of the
 * manifest, each on a platform with the grants of its entry. They run in {@link TestPlatform.settle}.
 */
export const testPlatform = (
  settings: SomeSettings = {},
  openAccount?: OpenAccountVenue,
  database = openMemoryDatabase(),
) => {
  const clock = new VirtualClock();
  const ids = uuidV7Ids(clock, systemRandom);
  const store = new SqliteTable(database, clock);
  const table = new ObservedTable(store);
  const streams = withTrigger('stream');
  const changes = new ChangeLog(
    database,
    streams.map(({ name }) => name),
  );
  const sockets = new RecordedSockets();
  const network = new RecordedNetwork();
  const mailer = new SqliteOutbox(database, clock);
  const queues = new Map<QueueName, SqliteQueue>();
  const queue = (name: QueueName): SqliteQueue => {
    const opened = queues.get(name) ?? new SqliteQueue({ database, name, clock, ids, ...withMaxReceives(name) });
    queues.set(name, opened);
    return opened;
  };
  const platform: Platform = {
    config: { ...withSettings(testConfig, settings), soleWriterSince: clock.now() },
    clock,
    random: systemRandom,
    ids,
    logger: new Logger({ serviceName: 'test', logLevel: 'SILENT' }),
    metrics: new Metrics({ namespace: 'Test', serviceName: 'test' }),
    network,
    table,
    secrets: new MemorySecrets(),
    mailer,
    push: sockets,
    queue,
  };
  const handlers = new Map<FunctionName, Handler>();
  /** Made at its first event: most tests run few of them. */
  const handler =
    (name: FunctionName): Handler =>
    (event, context) => {
      const entry = loaded.find((one) => one.name === name);
      if (entry === undefined) throw new TypeError(`The test platform does not run ${name}`);
      const made = handlers.get(name) ?? entry.create(grantedPlatform(platform, entry), openAccount);
      handlers.set(name, made);
      return made(event, context);
    };
  const consumers = { alerts: handler('alerts'), push: handler('push') };

  const awake = <T>(work: Promise<T>): Promise<T> => awakeOn(clock, work);

  /** Hands every change to the stream consumers and every visible message to its function, until there are none. */
  const settle = async (): Promise<void> => {
    for (let busy = true; busy; ) {
      busy = false;
      for (const { name, trigger } of streams) {
        const batch = await changes.read(name, trigger.batchSize);
        const last = batch.at(-1);
        if (last === undefined) continue;
        busy = true;
        const wanted = batch.filter(
          ({ after }) => after !== undefined && trigger.kinds.some((kind) => kind === after.kind),
        );
        const answer = await awake(handler(name)(streamEvent(wanted), testContext));
        if (answer.batchItemFailures.length > 0) throw new Error(`The stream consumer ${name} failed a change`);
        await changes.advance(name, last.sequence);
      }
      for (const { name: consumer, trigger, timeoutSeconds } of withTrigger('queue')) {
        const name = trigger.queue;
        const messages = await queue(name).receive(10, timeoutSeconds);
        if (messages.length === 0) continue;
        busy = true;
        const { batchItemFailures } = await awake(handler(consumer)(queueEvent(name, messages), testContext));
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        for (const { id, receipt } of messages) if (!failed.has(id)) await queue(name).remove(receipt);
      }
    }
  };

  /** Has the venue list these symbols. */
  const list = async (venue: string, symbols: readonly string[]): Promise<void> => {
    await new Catalog(table).replace(venue, symbols.map(marketOf), clock.now());
  };

  /** Stores the next ticker of a symbol, as the market sync does. */
  const tick = async (symbol: string, last: string, venue = 'sim', series = 'test'): Promise<void> => {
    const before = await store.get<StoredTicker>(tickerKey(venue, symbol));
    const stored: StoredTicker = {
      ...tickerKey(venue, symbol),
      kind: 'ticker',
      ...tickerOf(symbol, last, clock.now()),
      venue,
      source: 'simulated',
      series,
      version: (before?.version ?? 0) + 1,
      observedAt: clock.now(),
    };
    await store.put(stored);
  };

  /** Registers a user with this mail address. */
  const user = async (email = 'ada@example.com'): Promise<UserId> => {
    const { userId } = await new Users(platform).register({ email, password: 'correct horse battery' });
    return userId as UserId;
  };

  return {
    ...{ platform, clock, table, store, changes, sockets, network, mailer, queue },
    ...{
      consumers,
      deliver: handler('deliver'),
      accountSync: handler('account-sync'),
      awake,
      settle,
      list,
      tick,
      user,
    },
  };
};
export type TestPlatform = ReturnType<typeof testPlatform>;

export const marketOf = (symbol: string): Market => {
  const [base = '', quote = ''] = symbol.split('/');
  return { symbol, id: base + quote, base, quote, type: 'spot', active: true };
};

export const tickerOf = (symbol: string, last: string, timestamp: number): Ticker => ({
  symbol,
  last,
  bid: null,
  ask: null,
  high: null,
  low: null,
  baseVolume: null,
  percentage: null,
  timestamp,
});
