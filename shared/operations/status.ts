import { countOverdue, dispatchStatusSeconds, readDispatchedAt } from '#shared/accounts/sync/dispatch-status';
import { openUntilOf } from '#shared/exchange/budget/stored-budget';
import { isStale, readVenueStatus, type VenueStatus } from '#shared/market/venue-status';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { DEAD_LETTER_QUEUES, STREAM_CONSUMERS, type StreamConsumer } from '#shared/platform/queues';
import { readStreamStatus, streamStatusSeconds } from '#shared/platform/stream-status';
import { keyOf } from '#shared/platform/table';

export type Health = 'ok' | 'degraded' | 'down';

/** A part of the system, as just checked. */
export interface Component {
  readonly name: string;
  readonly status: Health;
  /** Epoch ms. */
  readonly checkedAt: number;
  readonly detail: string;
  readonly latencyMs: number | null;
}

type Finding = Pick<Component, 'status' | 'detail'> & { readonly latencyMs?: number };

const waitingMax = 1000;
/** The dispatcher runs every minute and records each run. */
const dispatchSilenceSeconds = 3 * dispatchStatusSeconds;
/** An account that has been due for this long was missed. */
const overdueSeconds = 3 * dispatchStatusSeconds;
/** A consumer whose status is this much older than the last change is behind. */
const streamSilenceSeconds = 3 * streamStatusSeconds;
const streamLagSecondsMax = 10;

/** Checks the parts of the system, each by using it: nothing is cached. */
export class SystemStatus {
  readonly #platform: Platform;
  readonly #startedAt: number;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#startedAt = platform.clock.now();
  }

  async read() {
    const { clock, config, table } = this.#platform;
    const venues = config.market.venues.map((venue) => readVenueStatus(table, venue));
    const known = (await Promise.allSettled(venues)).map((read) =>
      read.status === 'fulfilled' ? (read.value?.lastChangeAt ?? 0) : 0,
    );
    const lastChangeAt = Math.max(0, ...known);
    const components = await Promise.all([
      this.#component('table', () => this.#table()),
      this.#component('queue', () => this.#queue()),
      this.#component('dead-letters', () => this.#deadLetters()),
      this.#component('accounts', () => this.#accounts()),
      ...STREAM_CONSUMERS.map((consumer) =>
        this.#component(`stream:${consumer}`, () => this.#stream(consumer, lastChangeAt)),
      ),
      ...config.market.venues.map((venue, index) =>
        this.#component(`venue:${venue}`, async () =>
          this.#venue(await venues[index], await openUntilOf(table, venue)),
        ),
      ),
    ]);
    return {
      status: worst(components),
      version: config.version,
      uptimeSeconds: Math.round((clock.now() - this.#startedAt) / 1000),
      components,
    };
  }

  async #component(name: string, look: () => Promise<Finding>): Promise<Component> {
    const { clock } = this.#platform;
    const checkedAt = clock.now();
    try {
      const { status, detail, latencyMs = null } = await look();
      return { name, status, checkedAt, detail, latencyMs };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { name, status: 'down', checkedAt, detail: error.message, latencyMs: clock.now() - checkedAt };
    }
  }

  async #table(): Promise<Finding> {
    const { table, clock } = this.#platform;
    const startedAt = clock.now();
    await table.get({ pk: keyOf('SYSTEM', 'USERS'), sk: 'FIRST' }, { consistent: true });
    return { status: 'ok', detail: 'answers a read', latencyMs: clock.now() - startedAt };
  }

  async #queue(): Promise<Finding> {
    const { clock } = this.#platform;
    const startedAt = clock.now();
    const { waiting, inFlight } = await this.#platform.queue('deliveries').depth();
    return {
      status: waiting > waitingMax ? 'degraded' : 'ok',
      detail: `${waiting} deliveries wait, ${inFlight} are under way`,
      latencyMs: clock.now() - startedAt,
    };
  }

  async #deadLetters(): Promise<Finding> {
    const depths = await Promise.all(
      DEAD_LETTER_QUEUES.map(async (name) => ({ name, ...(await this.#platform.queue(name).depth()) })),
    );
    const held = depths.filter(({ waiting }) => waiting > 0);
    return held.length === 0
      ? { status: 'ok', detail: 'none' }
      : { status: 'degraded', detail: held.map(({ name, waiting }) => `${name}: ${waiting}`).join(', ') };
  }

  /** Whether due accounts are dispatched in time, and whether the workers keep up. */
  async #accounts(): Promise<Finding> {
    const { table, clock } = this.#platform;
    const now = clock.now();
    const [dispatchedAt, overdue, { waiting }] = await Promise.all([
      readDispatchedAt(table),
      countOverdue(table, now - overdueSeconds * 1000),
      this.#platform.queue('account-sync').depth(),
    ]);
    if (dispatchedAt === undefined) return { status: 'degraded', detail: 'no sync was dispatched yet' };
    const silentMs = now - dispatchedAt;
    const isBehind = silentMs > dispatchSilenceSeconds * 1000 || overdue.count > 0 || waiting > waitingMax;
    const late = `${overdue.count}${overdue.isBound ? ' or more' : ''} accounts overdue`;
    return {
      status: isBehind ? 'degraded' : 'ok',
      detail: `dispatched ${Math.round(silentMs / 1000)} s ago, ${late}, ${waiting} syncs wait`,
    };
  }

  async #stream(consumer: StreamConsumer, lastChangeAt: number): Promise<Finding> {
    const status = await readStreamStatus(this.#platform.table, consumer);
    if (status === undefined) {
      return lastChangeAt === 0
        ? { status: 'ok', detail: 'nothing to consume yet' }
        : { status: 'degraded', detail: 'has consumed nothing yet' };
    }
    const silentMs = lastChangeAt - status.consumedAt;
    const lagMs = Math.max(status.lagMs, silentMs > streamSilenceSeconds * 1000 ? silentMs : 0);
    return {
      status: lagMs > streamLagSecondsMax * 1000 ? 'degraded' : 'ok',
      // Streams report the time of a change in whole seconds.
      detail: lagMs < 1000 ? 'keeps up with the table' : `${Math.floor(lagMs / 1000)} s behind the table`,
      latencyMs: lagMs,
    };
  }

  #venue(status: VenueStatus | undefined, openUntil: number | undefined): Finding {
    const { clock, config } = this.#platform;
    if (openUntil !== undefined) {
      const seconds = Math.max(0, Math.ceil((openUntil - clock.now()) / 1000));
      const found = this.#venue(status, undefined);
      const detail = `rate limited, not called for ${seconds} s; ${found.detail}`;
      return { ...found, status: found.status === 'down' ? 'down' : 'degraded', detail };
    }
    if (status === undefined) return { status: 'degraded', detail: 'not polled yet' };
    const stale = isStale(status.lastSuccessAt ?? 0, clock.now(), config.market.syncSeconds);
    const age =
      status.lastSuccessAt === null
        ? 'never answered'
        : `answered ${Math.round((clock.now() - status.lastSuccessAt) / 1000)} s ago`;
    const trouble =
      status.failure === null ? '' : `, ${status.consecutiveFailures} failures in a row: ${status.detail}`;
    return {
      status: stale ? 'down' : status.failure === null ? 'ok' : 'degraded',
      detail: `${status.source} prices of ${status.items} symbols, ${age}${trouble}${this.#fallback(status)}`,
      latencyMs: status.durationMs,
    };
  }

  #fallback({ venue }: VenueStatus): string {
    const { fallback } = this.#platform.config.market;
    return fallback?.venue === venue ? `; instead of live prices: ${fallback.reason}` : '';
  }
}

const worst = (components: readonly Component[]): Health => {
  if (components.some(({ name, status }) => status === 'down' && name === 'table')) return 'down';
  return components.some(({ status }) => status !== 'ok') ? 'degraded' : 'ok';
};
