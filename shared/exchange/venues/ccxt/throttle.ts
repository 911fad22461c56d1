import { AsyncLocalStorage } from 'node:async_hooks';
import type { Exchange } from 'ccxt';
import { fullAfter, waitOf } from '#shared/exchange/budget/rate-bucket';
import type { CallBudget, Permit } from '#shared/exchange/budget/venue-budget';
import { VenueError } from '#shared/exchange/errors';
import type { Clock } from '#shared/platform/ports';
import { CcxtLimits, type RequestKind } from './limits.ts';

const minuteMs = 60_000;
const secondMs = 1000;
/** A venue that takes longer to answer is slow. */
const slowMs = 5000;
/** Longest wait for a key: long enough for Kraken's most expensive call, so that every call gets through in turn. */
const keyWaitSecondsMax = 10;

interface Request extends RequestKind {
  permit?: Permit;
  /** The limit that it counts against. */
  pool?: string;
  sentAt?: number;
  answer?: { readonly status: number; readonly headers: Headers; readonly retryAfterMs: number | undefined };
}

/** The request that is being made: ccxt throttles, signs and sends it in independent calls. */
const requests = new AsyncLocalStorage<Request>();

/** Records the answer to the current request. @param retryAfterMs when to retry, if the venue said so */
export const noteAnswer = ({ status, headers }: Response, retryAfterMs: number | undefined): void => {
  const request = requests.getStore();
  if (request !== undefined) request.answer = { status, headers, retryAfterMs };
};

/** Paces a client by the budget that all workers share instead of its own, and reports to it what answers say. */
export const keepBudget = (exchange: Exchange, budget: CallBudget, clock: Clock): void => {
  const { id } = exchange;
  const limits = new CcxtLimits(exchange);
  const key = new KeyPace(id, clock);
  const fetch2 = exchange.fetch2.bind(exchange);

  exchange.throttle = async (cost = 1) => {
    const request = requests.getStore();
    if (request === undefined) return;
    await key.take(request.path, limits.keyCharge(request, cost));
    const charge = limits.charge(request, cost);
    request.pool = charge.pool;
    request.permit = await budget.take(charge);
    request.sentAt = clock.now();
  };

  exchange.fetch2 = (path, api = 'public', ...rest) => {
    const parts = [api].flat().map(String);
    const request: Request = { path, api: parts.join('/'), signed: parts.includes('private') };
    return requests.run(request, async () => {
      let words = '';
      try {
        return await fetch2(path, api, ...rest);
      } catch (error) {
        words = error instanceof Error ? error.message : '';
        throw error;
      } finally {
        await report(request, words);
      }
    });
  };

  const report = async (request: Request, words: string): Promise<void> => {
    const { path, pool, permit, sentAt, answer } = request;
    if (sentAt !== undefined && clock.now() - sentAt >= slowMs) await budget.reportSlowness();
    if (permit === undefined || answer === undefined) return;
    const refusal = limits.refusal(request, answer.status, words);
    if (refusal !== undefined) return permit.refused(answer.retryAfterMs ?? refusal.retryAfterMs);
    // A server that fails may not have checked the request rate.
    if (answer.status < 500) await permit.answered();
    if (limits.isLastOfSecond(answer.headers)) key.hold(path);
    const nextMinute = (Math.floor(clock.now() / minuteMs) + 1) * minuteMs;
    if (pool !== undefined) await budget.reportUsage(pool, limits.usedPart(answer.headers, request), nextMinute);
  };
};

/** What a venue allows one key, kept by its client. */
class KeyPace {
  readonly #venue: string;
  readonly #clock: Clock;
  #fullAt = 0;
  /** When a path can be requested again, epoch ms. */
  readonly #heldUntil = new Map<string, number>();

  constructor(venue: string, clock: Clock) {
    this.#venue = venue;
    this.#clock = clock;
  }

  /** The venue said that the path can't be requested again in this second. */
  hold(path: string): void {
    this.#heldUntil.set(path, this.#clock.now() + secondMs);
  }

  /** @throws {VenueError} `rate-limited`: the wait would be too long */
  async take(path: string, charge: { readonly ms: number; readonly depthMs: number } | undefined): Promise<void> {
    const now = this.#clock.now();
    const heldMs = (this.#heldUntil.get(path) ?? 0) - now;
    const counterMs = charge === undefined ? 0 : waitOf(this.#fullAt, now, charge.ms, charge.depthMs);
    const waitMs = Math.max(heldMs, counterMs);
    if (waitMs > keyWaitSecondsMax * 1000) {
      const words = `${this.#venue} allows the key fewer requests than are to be made`;
      throw new VenueError(this.#venue, 'rate-limited', words, { retryAfterMs: Math.ceil(waitMs) });
    }
    if (charge !== undefined) this.#fullAt = fullAfter(this.#fullAt, now, charge.ms);
    if (waitMs > 0) await this.#clock.sleep(waitMs);
  }
}
