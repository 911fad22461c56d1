/** Many accounts on one machine, paper and at the doubles over HTTP, minutes of their life in seconds. */

import { manifest } from '#functions/manifest';
import { type Handler, Invoker } from '#local/invoke';
import { createLocalPlatform } from '#local/platform';
import { QueuePump } from '#local/queue-pump';
import { Scheduler } from '#local/scheduler';
import { localLogger } from '#local/telemetry';
import { ACCOUNTS_PER_USER_MAX, NewAccount } from '#shared/accounts/account';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, type StoredAccount } from '#shared/accounts/stored';
import { SyncJob } from '#shared/accounts/sync/dispatch';
import { AccountVenues } from '#shared/exchange/account-venues';
import { Credentials } from '#shared/exchange/credentials';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import type { Platform } from '#shared/platform/ports';
import { openDatabase } from '#shared/platform/sqlite/database';
import { systemRandom } from '#shared/platform/system';
import type { Table } from '#shared/platform/table';
import { VenueOfKeys } from './account-venues.ts';
import { temporaryFolder } from './server-process.ts';
import { testConfig, testOrigin } from './test-platform.ts';
import { startBinance } from './venues/binance.ts';
import { startBybit } from './venues/bybit.ts';
import { startKraken } from './venues/kraken.ts';
import { liveOn, VirtualClock } from './virtual-clock.ts';

export const liveVenues = ['binance', 'bybit', 'kraken'] as const;
export type LiveVenue = (typeof liveVenues)[number];

/** What each venue allows an address in a window. Kraken documents none for signed requests: 20 a second is our own limit. */
export const venueLimits: Readonly<
  Record<LiveVenue, { readonly windowMs: number; readonly most: number; readonly unit: string }>
> = {
  binance: { windowMs: 60_000, most: 6000, unit: 'weight/min' },
  bybit: { windowMs: 5000, most: 600, unit: 'requests/5 s' },
  kraken: { windowMs: 10_000, most: 200, unit: 'requests/10 s' },
};

/** A request: when it was made, and what it weighs. */
interface Made {
  readonly at: number;
  readonly weight: number;
}

export interface FleetOptions {
  readonly accounts: Readonly<Record<LiveVenue | 'paper', number>>;
  readonly syncSeconds: number;
  /** How often the dispatcher comes: on one machine every 5 s, on AWS every minute. */
  readonly dispatchSeconds: number;
}

/** A venue that takes so long to answer. */
export interface Slowness {
  readonly venue: LiveVenue;
  readonly ms: number;
}

const stepMs = 250;
/** Turns of the event loop without a request under way after which all are taken to wait for time to pass. */
const idleTurns = 6;
/** How a venue reports an exceeded rate limit, in an answer of any status. */
const refusal = /"retCode":100(?:06|18)|EAPI:Rate limit|EGeneral:Too many|"code":-1003/;

export const startFleet = async ({ accounts, syncSeconds, dispatchSeconds }: FleetOptions) => {
  const clock = new VirtualClock();
  const now = () => clock.now();
  const doubles = {
    binance: await startBinance({ now }),
    bybit: await startBybit({ now }),
    kraken: await startKraken({ now }),
  };
  const requests: Record<LiveVenue, Made[]> = { binance: [], bybit: [], kraken: [] };
  const refused: Record<LiveVenue, number> = { binance: 0, bybit: 0, kraken: 0 };
  const minuteWeight = { at: 0, used: 0 };
  let underWay = 0;
  let slowness: Slowness | undefined;

  const venueAt = (url: string): LiveVenue =>
    liveVenues.find((venue) => url.startsWith(doubles[venue].url)) ?? 'kraken';
  /** Binance reports the weight used in the minute, of which each request took its part. */
  const weightOf = (response: Response, at: number): number => {
    const used = Number(response.headers.get('x-mbx-used-weight-1m') ?? Number.NaN);
    if (Number.isNaN(used)) return 1;
    const isSameMinute = Math.floor(minuteWeight.at / 60_000) === Math.floor(at / 60_000);
    const weight = Math.max(0, used - (isSameMinute ? minuteWeight.used : 0));
    if (weight > 0 || !isSameMinute) Object.assign(minuteWeight, { at, used });
    return weight;
  };
  /** No time passes while the machine itself is at work. */
  const held = async <T>(work: () => Promise<T>): Promise<T> => {
    underWay += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
    }
  };
  const fetchCounted: typeof fetch = async (input, init) => {
    const venue = venueAt(String(input));
    if (slowness?.venue === venue) await clock.sleep(slowness.ms);
    return await held(async () => {
      const at = clock.now();
      const response = await fetch(input, init);
      const body = await response.text();
      // Each endpoint of Binance's sapi has a limit of its own, and so have its futures, which its double enforces.
      const weight = /\/[sf]api\//.test(String(input)) ? 0 : weightOf(response, at);
      requests[venue].push({ at, weight });
      if (response.status === 429 || response.status === 418 || refusal.test(body)) refused[venue] += 1;
      const { status, statusText, headers } = response;
      return new Response(body, { status, statusText, headers });
    });
  };

  const folder = await temporaryFolder();
  const database = openDatabase(folder.path);
  const logger = localLogger('SILENT');
  const local = createLocalPlatform({
    config: withSettings(testConfig, {
      accounts: { syncSeconds },
      exchange: { venueUrls: Object.fromEntries(liveVenues.map((venue) => [venue, doubles[venue].url])) },
    }),
    ...{ database, dataFolder: folder.path, clock, random: systemRandom, logger, mailServer: undefined },
    network: { fetch: fetchCounted, post: async () => 200 },
  });
  const items = { read: 0, written: 0 };
  const platform: Platform = {
    ...local,
    table: counted(local.table, items),
    secrets: {
      get: (...args) => held(() => local.secrets.get(...args)),
      put: (...args) => held(() => local.secrets.put(...args)),
      create: (...args) => held(() => local.secrets.create(...args)),
      delete: (...args) => held(() => local.secrets.delete(...args)),
    },
    queue: (name) => local.queue(name),
  };

  /** Does what takes requests and time. */
  const live = <T>(work: Promise<T>): Promise<T> =>
    liveOn(clock, { stepMs, idleTurns, isBusy: () => underWay > 0 }, work);

  // To load a venue's code takes the machine a while, in which no time shall pass.
  const venues = new AccountVenues(platform);
  for (const venue of liveVenues) await venues.open(venue, new Credentials({ apiKey: 'none', secret: 'none' }));
  const book = new Accounts(platform, {
    profile: async (id) => ({ ...(await new VenueOfKeys().profile('binance')), id }) as never,
    verify: async () => ({ canTrade: true, canWithdraw: false }),
  });
  const made: { readonly userId: UserId; readonly accountId: string; readonly venue: LiveVenue }[] = [];
  const total = Object.values(accounts).reduce((sum, count) => sum + count, 0);
  let number = 0;
  for (const venue of [...liveVenues, 'paper'] as const) {
    for (let count = 0; count < accounts[venue]; count += 1, number += 1) {
      // Each has a rhythm of its own from the time at which it was made.
      await clock.advance(Math.ceil((syncSeconds * 1000) / total));
      const userId = `user-${Math.floor(number / ACCOUNTS_PER_USER_MAX)}` as UserId;
      if (venue === 'paper') {
        await live(book.add(userId, NewAccount.parse({ venue: 'sim', label: 'x', mode: 'paper' }), testOrigin));
        continue;
      }
      const apiKey = `testkey${number}`.padEnd(64, '0');
      const secret = Buffer.from(`testsecret${number}`.padEnd(48, '0')).toString('base64');
      doubles[venue].accounts.addKey({ apiKey, secret });
      for (const asset of ['BTC', 'USDT']) doubles[venue].accounts.setBalance(apiKey, asset, '1.5');
      const account = NewAccount.parse({ venue, label: 'x', mode: 'live', credentials: { apiKey, secret } });
      made.push({ userId, accountId: (await live(book.add(userId, account, testOrigin))).accountId, venue });
    }
  }

  /** When all of an account was synchronised, epoch ms. */
  const synced = new Map<string, number[]>();
  const { trigger, timeoutSeconds } = manifest['account-sync'];
  const sync = new Invoker(
    { name: 'account-sync', ...manifest['account-sync'] },
    handlerOf((await manifest['account-sync'].load())(platform)),
    platform,
  );
  const dispatch = new Invoker(
    { name: 'accounts-dispatch', ...manifest['accounts-dispatch'] },
    handlerOf((await manifest['accounts-dispatch'].load())(platform)),
    platform,
  );
  const pump = new QueuePump(
    { ...trigger, timeoutSeconds },
    {
      ...platform,
      queue: local.queue('account-sync'),
      invoke: async (event) => {
        const answer = await sync.invoke(event);
        const { Records } = event as { Records: readonly { readonly body: string }[] };
        const failed = (answer as { batchItemFailures: readonly unknown[] }).batchItemFailures;
        for (const { body } of failed.length > 0 ? [] : Records) {
          const { userId, accountId } = SyncJob.parse(JSON.parse(body));
          const account = await local.table.get<StoredAccount>(accountKey(userId as UserId, accountId));
          if (account === undefined || !isWell(account)) continue;
          synced.set(accountId, [...(synced.get(accountId) ?? []), clock.now()]);
        }
        return answer;
      },
    },
  );
  const scheduler = new Scheduler(clock, logger);
  pump.start();
  scheduler.every(dispatchSeconds * 1000, 'accounts-dispatch', () => dispatch.invoke({}));

  const standing = async (venue: LiveVenue) => {
    const keys = made
      .filter((account) => account.venue === venue)
      .map((account) => accountKey(account.userId, account.accountId));
    return await local.table.getMany<StoredAccount>(keys);
  };
  return {
    clock,
    doubles,
    /** From now on this venue, or none. */
    slow: (venue: Slowness | undefined) => {
      slowness = venue;
    },
    /** Lets time pass. */
    pass: (seconds: number) => live(clock.sleep(seconds * 1000)),
    /** How many accounts of a venue have all their steps well. */
    well: async (venue: LiveVenue) => (await standing(venue)).filter(isWell).length,
    /** Resets all counts. */
    reset: () => {
      synced.clear();
      Object.assign(items, { read: 0, written: 0 });
      for (const venue of liveVenues) {
        requests[venue].length = 0;
        refused[venue] = 0;
        doubles[venue].forget();
      }
    },
    /** Has the doubles forget their requests, so that memory is that of the system. */
    forget: () => {
      for (const venue of liveVenues) doubles[venue].forget();
    },
    /** What was seen since then. */
    seen: (venue: LiveVenue, graceSeconds: number, since: number) => {
      const accountIds = made.filter((account) => account.venue === venue).map(({ accountId }) => accountId);
      const gapMs = (syncSeconds + graceSeconds) * 1000;
      const inTime = accountIds.filter((accountId) => {
        const times = [since, ...(synced.get(accountId) ?? []), clock.now()];
        return times.every((at, index) => index === 0 || at - (times[index - 1] ?? at) <= gapMs);
      });
      return {
        requests: requests[venue].length,
        /** Most in any window of the venue's limit. */
        most: mostInWindow(requests[venue], venueLimits[venue].windowMs),
        refused: refused[venue],
        syncs: accountIds.reduce((sum, accountId) => sum + (synced.get(accountId)?.length ?? 0), 0),
        inTime: inTime.length,
        accounts: accountIds.length,
      };
    },
    items: () => ({ ...items }),
    end: async () => {
      await live(Promise.all([scheduler.stop(), pump.stop()]));
      sync.stop();
      dispatch.stop();
      for (const venue of liveVenues) await doubles[venue].close();
      database.close();
      await folder.remove();
    },
  };
};

const isWell = ({ steps }: StoredAccount): boolean =>
  Object.keys(steps).length > 0 &&
  Object.values(steps).every(({ status }) => status === 'ok' || status === 'not-supported');

/** The largest sum of weights in any window, as a venue with a sliding one would count. */
const mostInWindow = (made: readonly Made[], windowMs: number): number => {
  const sorted = made.toSorted((a, b) => a.at - b.at);
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { at, weight } of sorted) {
    sum += weight;
    for (let oldest = sorted[first]; oldest !== undefined && oldest.at <= at - windowMs; oldest = sorted[first]) {
      sum -= oldest.weight;
      first += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
};

/** The table with the items counted that are read and written. */
const counted = (table: Table, items: { read: number; written: number }): Table => {
  const read = <T>(found: T[]): T[] => {
    items.read += found.length;
    return found;
  };
  const write = <T>(count: number, done: Promise<T>): Promise<T> => {
    items.written += count;
    return done;
  };
  return {
    get: async (...args) => {
      items.read += 1;
      return await table.get(...args);
    },
    getMany: async (...args) => read(await table.getMany(...args)),
    query: async (...args) => {
      const page = await table.query(...args);
      read(page.items);
      return page as never;
    },
    put: (...args) => write(1, table.put(...args)),
    update: (...args) => write(1, table.update(...args)),
    delete: (...args) => write(1, table.delete(...args)),
    writeMany: (writes) => write(writes.length, table.writeMany(writes)),
    transact: (writes) => write(writes.length, table.transact(writes)),
  };
};

/** Middy's handlers can be called with callbacks as well. */
// biome-ignore lint/suspicious/noExplicitAny: each handler has an event of its own
const handlerOf = (handler: (event: any, context: any) => Promise<unknown>): Handler => handler;
