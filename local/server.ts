import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@aws-lambda-powertools/logger';
import { type FunctionEntry, functions, type Trigger } from '#functions/manifest';
import { MAILED_TOKENS } from '#shared/auth/mailed-token';
import { replaceFileDurably } from '#shared/platform/machine/durable-file';
import { ensurePrivateFolder } from '#shared/platform/machine/private-folder';
import { createNetwork } from '#shared/platform/network';
import type { Clock, Config, Network, Platform, Random } from '#shared/platform/ports';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { type Database, openDatabase } from '#shared/platform/sqlite/database';
import { systemClock, systemRandom } from '#shared/platform/system';
import { type BehindProxy, FrontDoor } from './front-door.ts';
import { Gateway, type HttpFunction } from './gateway.ts';
import { grantedPlatform } from './granted.ts';
import { isLoopback, urlHost } from './host-check.ts';
import { Invoker } from './invoke.ts';
import { homePage, outboxPage } from './pages.ts';
import { createLocalPlatform, type LocalPlatform } from './platform.ts';
import { QueuePump } from './queue-pump.ts';
import { Scheduler } from './scheduler.ts';
import { socketPath } from './socket-event.ts';
import { Sockets } from './sockets.ts';
import { StreamPump } from './stream-pump.ts';
import { localLogger } from './telemetry.ts';

/** Where the address of the outbox is kept for programs of the owner. */
const outboxFile = 'outbox-url.txt';
/** 256 bits, which are 43 characters. */
const outboxTokenBytes = 32;
const housekeepingMs = 60_000;
const dispatchesPerPeriod = 12;
const dispatchSecondsMax = 5;
/** How long requests and batches in flight may take to finish when the server stops. */
const closeMs = 5_000;

export interface ServerOptions {
  readonly config: Config;
  /** Where the store, the secrets and their key are; made where it is missing. */
  readonly dataFolder: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Server that mails of the outbox are forwarded to, `smtp://` or `smtps://`. */
  readonly smtpUrl?: string | undefined;
  /** The reverse proxies in front of the server; without them, requests that came through one are refused. */
  readonly proxy?: BehindProxy | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly network?: Network;
  readonly logger?: Logger;
  /** Runs before the first request is taken. */
  readonly prepare?: (platform: Platform) => Promise<void>;
}

export interface Server {
  readonly url: string;
  readonly webSocketUrl: string;
  /** The address of the outbox, with the token that opens it; undefined where a mail server takes the mails. */
  readonly outboxUrl: string | undefined;
  /** Everything the functions run on, with no restriction. */
  readonly platform: Platform;
  /** Stops accepting, finishes what is in flight, closes the sockets and the store, within {@link closeMs}. */
  close(): Promise<void>;
}

type Loaded = Omit<FunctionEntry, 'trigger'> & { readonly name: string; readonly invoker: Invoker };
type LoadedWith<T extends Trigger['type']> = Loaded & { readonly trigger: Extract<Trigger, { type: T }> };

/**
 * Starts the whole system on this machine.
 * @throws {FolderNotPrivate} other users of this machine can open the data folder
 * @throws {DataFolderInUse} another process has the data folder open
 * @throws an error of the operating system with its `code`: the folder can't be used, the port can't be had
 */
export const startServer = async (options: ServerOptions): Promise<Server> => {
  const { config, dataFolder, clock = systemClock, random = systemRandom } = options;
  const logger = options.logger ?? localLogger('WARN');
  await ensurePrivateFolder(dataFolder, ['alphapulse.db', 'secrets.key']);
  const database = openDatabase(dataFolder);
  try {
    const network = options.network ?? createNetwork({ publicOnly: !config.notifications.privateWebhooks });
    const mailServer = await mailServerOf(options);
    const platform = createLocalPlatform({ config, database, dataFolder, clock, random, network, logger, mailServer });
    const [loaded] = await Promise.all([
      Promise.all(functions.map((entry) => load(entry, platform))),
      options.prepare?.(platform),
    ]);
    return await run(options, platform, database, loaded);
  } catch (error) {
    database.close();
    throw error;
  }
};

const mailServerOf = async ({ smtpUrl, config }: ServerOptions) => {
  if (smtpUrl === undefined) return undefined;
  const { SmtpMailer } = await import('#shared/platform/machine/smtp');
  return new SmtpMailer({ url: smtpUrl, from: config.mail.from });
};

const load = async (entry: (typeof functions)[number], platform: LocalPlatform) => {
  const create = await entry.load();
  return { ...entry, invoker: new Invoker(entry, create(grantedPlatform(platform, entry)), platform) };
};

const run = async (
  options: ServerOptions,
  platform: LocalPlatform,
  database: Database,
  loaded: readonly LoadedWith<Trigger['type']>[],
): Promise<Server> => {
  const { config, host, port, proxy, dataFolder } = options;
  const { clock, logger, push, random } = platform;
  const { strictTransport } = config.http;
  const door = new FrontDoor({ host, proxy });
  const outboxToken =
    options.smtpUrl === undefined ? Buffer.from(random.bytes(outboxTokenBytes)).toString('base64url') : undefined;
  const withTrigger = <T extends Trigger['type']>(type: T): LoadedWith<T>[] =>
    loaded.filter((entry): entry is LoadedWith<T> => entry.trigger.type === type);

  const changes = new ChangeLog(
    database,
    withTrigger('stream').map(({ name }) => name),
  );
  const streams = withTrigger('stream').map(({ name, trigger, invoker }) => {
    const deadLetters = platform.queue(trigger.deadLetters);
    return new StreamPump({ name, ...trigger }, { ...platform, invoke: invoker.invoke, changes, deadLetters });
  });
  const queues = withTrigger('queue').map(
    ({ trigger, timeoutSeconds, invoker }) =>
      new QueuePump(
        { ...trigger, timeoutSeconds },
        { ...platform, invoke: invoker.invoke, queue: platform.queue(trigger.queue) },
      ),
  );
  const api = withTrigger('http').map(({ trigger, invoker }): HttpFunction => ({ ...trigger, invoke: invoker.invoke }));
  const gateway = new Gateway({
    ...platform,
    door,
    strictTransport,
    corsOrigins: config.http.corsOrigins,
    functions: api,
    authorize: withTrigger('authorizer')[0]?.invoker.invoke,
    pages: new Map([
      ['/', homePage],
      ...(outboxToken === undefined
        ? []
        : [['/outbox', outboxPage(outboxToken, (limit) => platform.mailer.list(limit))] as const]),
    ]),
  });
  const sockets = withTrigger('socket').map(
    ({ invoker }) => new Sockets({ ...platform, door, strictTransport, push, invoke: invoker.invoke }),
  );
  for (const handler of sockets) {
    gateway.server.on('upgrade', (request, socket, head) => void handler.upgrade(request, socket, head));
  }
  const address = await listen(gateway, host, port);
  const origin = `${urlHost(reachable(address.address))}:${address.port}`;
  const outboxUrl =
    outboxToken === undefined ? undefined : `${proxy?.publicUrl ?? `http://${origin}`}/outbox?token=${outboxToken}`;
  if (outboxUrl === undefined) await rm(join(dataFolder, outboxFile), { force: true });
  else await replaceFileDurably(dataFolder, outboxFile, `${outboxUrl}\n`);

  const scheduler = new Scheduler(clock, logger);
  for (const { trigger } of withTrigger('queue')) await platform.queue(trigger.queue).reclaim();
  for (const pump of [...streams, ...queues]) pump.start();
  for (const { name, trigger, invoker } of withTrigger('schedule')) {
    if (trigger.each === 'installation') {
      const periodSeconds = trigger.everyMinutes > 1 ? trigger.everyMinutes * 60 : dispatchSeconds(config);
      scheduler.every(periodSeconds * 1000, name, () => invoker.invoke({}));
      continue;
    }
    for (const venue of config.market.venues) {
      scheduler.every(config.market.syncSeconds * 1000, `${name} ${venue}`, () => invoker.invoke({ venue }));
    }
  }
  scheduler.every(housekeepingMs, 'housekeeping', async () => {
    await platform.table.sweep();
    await changes.trim();
    for (const { prefix, validMinutes } of MAILED_TOKENS) {
      await platform.mailer.blankTokens(prefix, clock.now() - validMinutes * 60_000);
    }
  });

  const end = async (): Promise<void> => {
    const answered = new Promise((resolve) => gateway.server.close(resolve));
    gateway.server.closeIdleConnections();
    await Promise.all(sockets.map((handler) => handler.close()));
    await Promise.all([answered, scheduler.stop(), ...[...streams, ...queues].map((pump) => pump.stop())]);
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const ended = new AbortController();
    // The machine's own time: a virtual clock does not move while the server is closed.
    await Promise.race([end().finally(() => ended.abort()), systemClock.sleep(closeMs, ended.signal)]);
    for (const { invoker } of loaded) invoker.stop();
    gateway.server.closeAllConnections();
    push.terminateAll();
    database.close();
  };
  return {
    url: `http://${origin}`,
    webSocketUrl: `ws://${origin}${socketPath}`,
    outboxUrl,
    platform,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
};

/** Several times within the period of the accounts, so that none waits long once it is due. */
const dispatchSeconds = ({ accounts }: Config): number =>
  Math.min(accounts.syncSeconds / dispatchesPerPeriod, dispatchSecondsMax);

const listen = (gateway: Gateway, host: string, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const { server } = gateway;
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });

/** An address that leads to a server which is bound to this one: one that is bound to every address is reached at loopback's. */
const reachable = (address: string): string =>
  isLoopback(address) || (address !== '0.0.0.0' && address !== '::') ? address : '127.0.0.1';
