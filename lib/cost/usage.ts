import { functions, manifest } from '../../functions/manifest.ts';
import { accounts } from '../../shared/platform/config/accounts.ts';
import { defaultOf } from '../../shared/platform/config/setting.ts';
import { marketSyncSeconds, marketSyncWindowSeconds } from '../environment.ts';
import { deadLettersOf } from '../queue-names.ts';

/** What a month uses, in the units that are billed. */
export interface Usage {
  readonly gbSeconds: number;
  readonly invocations: number;
  readonly tableWrites: number;
  readonly tableReads: number;
  readonly httpRequests: number;
  readonly socketMessages: number;
  readonly socketMinutes: number;
  readonly queueRequests: number;
  readonly scheduledRuns: number;
  readonly mails: number;
  readonly secrets: number;
  readonly logGigabytes: number;
  readonly metrics: number;
  readonly alarms: number;
  readonly traces: number;
}

const days = 30;
const minutes = days * 24 * 60;
const seconds = minutes * 60;

/** A deployment with the default settings: one venue, two symbols, and what users watch beside them. */
const venues = 1;
const symbolsOf = (users: number): number => Math.min(2 + users, 100);
/** Part of the observations that differ from the one before; a pair traded on a large venue hardly ever keeps its price. */
const changedPart = 0.8;

/** What a user does in a day, an assumption: looks at the app now and then, keeps it open for an hour, gets two alerts. */
export const USER_DAY = { requests: 100, socketMinutes: 60, alerts: 2 } as const;
/** Exchange accounts of a user, an assumption. */
export const ACCOUNTS_PER_USER = 1;

/** A transaction of four items is charged twice; then come the marks of delivery. */
const writesPerFiring = 4 * 2 + 3;
const readsPerFiring = 10;
/** The session for the authorizer, and a short list or a few items. */
const readsPerRequest = 3;
const writesPerRequest = 0.1;
/** The market sync asks for the watched symbols at each look; once an hour it reads the venue's catalog, some 2 MB. */
const readsPerSync = 1;
/** What it and each sync of an account take of the venue's rate budget. */
const writesPerBudget = 1;
const readsPerCatalog = 500;
const statusesPerMinute = 4;
/** A consumer of the stream writes down how far it is each 30 s. */
const streamStatusesPerMinute = 2;
/** Bytes of a stored subscription and of what one consistent read covers. */
const subscriptionBytes = 250;
const readBytes = 4096;
const subscriptionsPerSocket = 2;

/** Warm durations on Lambda at the manifest's memory, milliseconds. */
const durationMs = {
  authorizer: 5,
  request: 40,
  batch: 20,
  change: 0.5,
  pushedMessage: 0.2,
  firing: 60,
  delivery: 300,
  dispatch: 100,
  // Half a dozen requests to the venue, one after the other.
  accountSync: 600,
};
/** Part of the requests that meet a function which has to load first, and how long that takes. */
const coldPart = 0.03;
const coldMs = 600;

/** A sync of an account that stayed as it was: its time moved on, and its status; and what it reads. */
const writesPerAccountSync = 2;
const readsPerAccountSync = 10;
/** Shards that the dispatcher asks each minute. */
const readsPerDispatch = 16;

/** Lambda asks SQS by five long polls of 20 s at a time, also when nothing is there. */
const idlePollsPerMinute = 5 * 3;
const requestsPerMessage = 3;

/** JSON lines of start, end and metrics of an invocation; a line of an access log; the sync's lines of a minute. */
const logBytes = { invocation: 1_000, access: 500, syncMinute: 1_500 };
/** PriceChanges, MarketSyncDuration, AlertsFired, AlertLatency; and the successes of each venue. */
const metricNames = 4;
/** X-Ray samples the first request of a second and this part of the others, for each function. */
const sampledPart = 0.05;

/** An invocation's milliseconds as GB-seconds, at the memory of a function typical of its kind. */
const gbSecondsOf = (name: keyof typeof manifest, ms: number): number => (manifest[name].memoryMb / 1024) * (ms / 1000);
const tracesOf = (invocations: number): number =>
  invocations <= seconds ? invocations : seconds + sampledPart * (invocations - seconds);

/** Queues that a function works off. */
const queues = functions.filter(({ trigger }) => trigger.type === 'queue').length;

/** Bounces and complaints. */
const mailAlarms = 2;

/** Alarms of a deployment: see `lib/monitoring.ts`. */
export const alarmCount = (venueCount: number): number => {
  const streams = functions.filter(({ trigger }) => trigger.type === 'stream').length;
  const deadLetters = new Set(functions.flatMap(deadLettersOf)).size + queues;
  return 2 * functions.length + streams + deadLetters + venueCount + mailAlarms;
};

/** What a month uses with this many users; none is the system at rest. */
export const usageOf = (users: number): Usage => {
  const syncsPerMinute = (venues * marketSyncWindowSeconds) / marketSyncSeconds;
  const syncs = syncsPerMinute * minutes;
  const changesPerSync = symbolsOf(users) * changedPart;
  const requests = users * USER_DAY.requests * days;
  const firings = users * USER_DAY.alerts * days;
  const accountSyncs = (users * ACCOUNTS_PER_USER * seconds) / defaultOf(accounts.syncSeconds);
  const socketMinutes = users * USER_DAY.socketMinutes * days;
  // All prices of one batch go to a connection in one message.
  const messages = socketMinutes * syncsPerMinute + firings;
  // A sync writes its changes at once, under one partition key: they come as one batch to each of the two consumers.
  const batches = syncs + firings;
  const subscriptions = (users * USER_DAY.socketMinutes * subscriptionsPerSocket) / (24 * 60);
  const readsPerPush = changesPerSync + (subscriptions * subscriptionBytes) / readBytes;

  const invocationsOf = { sync: minutes * venues, batch: batches, request: requests, delivery: firings };
  const accountRuns = minutes + accountSyncs;
  const invocations =
    invocationsOf.sync + 2 * invocationsOf.batch + 2 * invocationsOf.request + invocationsOf.delivery + accountRuns;
  const syncMs = marketSyncWindowSeconds * 1000;
  return {
    gbSeconds:
      invocationsOf.sync * gbSecondsOf('market-sync', syncMs) +
      syncs * gbSecondsOf('alerts', durationMs.batch + changesPerSync * durationMs.change) +
      syncs * gbSecondsOf('push', durationMs.batch + changesPerSync * durationMs.change) +
      messages * gbSecondsOf('push', durationMs.pushedMessage) +
      2 * firings * gbSecondsOf('alerts', durationMs.firing) +
      firings * gbSecondsOf('deliver', durationMs.delivery) +
      minutes * gbSecondsOf('accounts-dispatch', durationMs.dispatch) +
      accountSyncs * gbSecondsOf('account-sync', durationMs.accountSync) +
      requests * gbSecondsOf('authorizer', durationMs.authorizer + coldPart * coldMs) +
      requests * gbSecondsOf('market-api', durationMs.request + coldPart * coldMs),
    invocations,
    tableWrites:
      syncs * (changesPerSync + writesPerBudget) +
      minutes * (venues * statusesPerMinute + 2 * streamStatusesPerMinute) +
      firings * writesPerFiring +
      accountSyncs * (writesPerAccountSync + writesPerBudget) +
      requests * writesPerRequest,
    tableReads:
      syncs * (readsPerSync + changesPerSync + readsPerPush) +
      venues * days * 24 * readsPerCatalog +
      firings * readsPerFiring +
      minutes * readsPerDispatch +
      accountSyncs * readsPerAccountSync +
      requests * readsPerRequest,
    httpRequests: requests,
    socketMessages: messages,
    socketMinutes,
    queueRequests: minutes * idlePollsPerMinute * queues + (firings + accountSyncs) * requestsPerMessage,
    scheduledRuns: minutes * (venues + 1) + days,
    mails: firings,
    secrets:
      new Set(functions.flatMap(({ grants }) => grants.secrets ?? [])).size +
      Math.ceil((users * ACCOUNTS_PER_USER) / defaultOf(accounts.perSecret)),
    logGigabytes:
      (invocations * logBytes.invocation + requests * logBytes.access + minutes * venues * logBytes.syncMinute) / 1e9,
    metrics: metricNames + venues,
    alarms: alarmCount(venues),
    traces:
      tracesOf(invocationsOf.sync) +
      2 * tracesOf(invocationsOf.batch) +
      2 * tracesOf(invocationsOf.request) +
      tracesOf(invocationsOf.delivery) +
      tracesOf(minutes) +
      tracesOf(accountSyncs),
  };
};
