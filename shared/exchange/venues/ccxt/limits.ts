import type { Exchange } from 'ccxt';
import type { Charge } from '#shared/exchange/budget/venue-budget';

/** Part of a venue's limit per address that is used in the long run. The rest is for other programs on the same address. */
const addressShare = 0.6;
/** Part of the venue's window that can be taken at once on top of that: together no window sees more than 80 %. */
const burstShare = 0.2;
/** Part of a venue's limit per key: it is ours alone, unless the owner uses the key elsewhere. */
const keyShare = 0.9;
/** Where ccxt knows no window, ms; and the least that can be taken at once, in requests of the simplest kind. */
const burstMsDefault = 2000;
const burstRequestsMin = 2;

/** A request before it is sent. */
export interface RequestKind {
  readonly path: string;
  /** Whether it is made with a key. */
  readonly signed: boolean;
  /** ccxt's name for the part of the API. */
  readonly api: string;
}

/** How a venue counts where ccxt's figures are wrong or missing. */
interface VenueRules {
  /** What a request costs its address, ms of the venue's time. Undefined: ccxt's cost. */
  addressMs?(kind: RequestKind, cost: number): number | undefined;
  /** The limit that a request counts against, where the venue has several. */
  pool?(kind: RequestKind, cost: number): string;
  /** Signed requests are limited by key, so a refused one does not affect other keys. */
  readonly byKey?: true;
  /** The counter of each key, ms of ccxt's costs. */
  readonly keyDepthMs?: number;
  /** What ccxt's message holds where the address was refused in another way than by 429 or 418, and how long that lasts. */
  readonly refusal?: { readonly words: RegExp; readonly signedToo: boolean; readonly retryAfterMs?: number };
  /** How much of the limit of one minute is used, 0..1. */
  usedPart?(headers: Headers, kind: RequestKind): number;
  /** Whether the next request for the same path has to wait for the next second. */
  isLastOfSecond?(headers: Headers): boolean;
}

const binanceWeightPerMinute = 6000;
/** https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info: a limit and a header of their own. */
const usdmWeightPerMinute = 2400;
const isUsdm = ({ api }: RequestKind): boolean => api.startsWith('fapi');
const usdmWeights: Readonly<Record<string, number>> = {
  ...{ account: 5, positionRisk: 5, allOrders: 5, allAlgoOrders: 5, userTrades: 5, income: 30 },
  // Of all symbols.
  ...{ openOrders: 40, openAlgoOrders: 40 },
};
/** From this cost on, a limit of its own matters for an endpoint of Binance's `sapi`. */
const heavyCost = 10;

const rules: Readonly<Record<string, VenueRules>> = {
  // https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits: /api has 6000 a minute and address, each
  // endpoint of /sapi 12000. ccxt's costs are right, but it adds up what Binance does not.
  binance: {
    addressMs: (kind, cost) =>
      isUsdm(kind) ? ((usdmWeights[kind.path] ?? cost) * 60_000) / usdmWeightPerMinute : undefined,
    pool: (kind, cost) => {
      if (isUsdm(kind)) return 'fapi';
      return !kind.api.startsWith('sapi') ? 'api' : cost < heavyCost ? 'sapi' : kind.path.replace(/\W/g, '_');
    },
    usedPart: (headers, kind) =>
      Number(headers.get('x-mbx-used-weight-1m')) / (isUsdm(kind) ? usdmWeightPerMinute : binanceWeightPerMinute),
  },
  // https://bybit-exchange.github.io/docs/v5/rate-limit: 600 requests in 5 s and address, a ban of 10 minutes beyond;
  // and so many a second, user and endpoint, which the answers report. ccxt counts the latter.
  bybit: {
    addressMs: () => 5000 / 600,
    byKey: true,
    refusal: { words: /access too frequent|"retCode":10018\b/i, signedToo: true, retryAfterMs: 10 * 60_000 },
    isLastOfSecond: (headers) => headers.get('x-bapi-limit-status') === '0',
  },
  // https://docs.kraken.com/exchange/guides/rest/ratelimits: each key has a counter of 15 that sinks by 0.33 a second,
  // which is what ccxt's costs say. No limit of signed requests by address is documented; 20 a second is our own limit.
  kraken: {
    addressMs: ({ signed }) => (signed ? 50 : undefined),
    byKey: true,
    keyDepthMs: 45_000,
    refusal: { words: /EAPI:Rate limit exceeded|EGeneral:Too many requests/, signedToo: false },
  },
  // https://www.okx.com/docs-v5/en/#overview-rate-limits: private endpoints by user.
  okx: { byKey: true },
  // https://www.kucoin.com/docs-new/rate-limit: private endpoints by user.
  kucoin: { byKey: true },
};

/** How a venue limits requests, and our share of that. */
export class CcxtLimits {
  readonly #rules: VenueRules;
  readonly #rateLimitMs: number;
  readonly #depthMs: number;

  constructor({ id, rateLimit = 0, rollingWindowSize }: Pick<Exchange, 'id' | 'rateLimit' | 'rollingWindowSize'>) {
    this.#rules = rules[id] ?? {};
    this.#rateLimitMs = rateLimit;
    const burstMs = rollingWindowSize > 0 ? rollingWindowSize * burstShare : burstMsDefault;
    this.#depthMs = Math.max(burstMs, burstRequestsMin * rateLimit) / addressShare;
  }

  /** What a request costs its address. @param cost ccxt's */
  charge(kind: RequestKind, cost: number): Charge {
    const venueMs = this.#rules.addressMs?.(kind, cost) ?? cost * this.#rateLimitMs;
    return {
      pool: this.#rules.pool?.(kind, cost) ?? 'all',
      ms: Math.ceil(venueMs / addressShare),
      depthMs: this.#depthMs,
    };
  }

  /** What a request costs its key, and how much of that there is at once, ms; undefined where keys have no counter. */
  keyCharge({ signed }: RequestKind, cost: number): { readonly ms: number; readonly depthMs: number } | undefined {
    const { keyDepthMs } = this.#rules;
    if (!signed || keyDepthMs === undefined) return undefined;
    return { ms: (cost * this.#rateLimitMs) / keyShare, depthMs: keyDepthMs };
  }

  /** Whether an answer says that the address exceeded its rate limit. @param status undefined: there was none @param words ccxt's error */
  refusal(
    { signed }: RequestKind,
    status: number | undefined,
    words: string,
  ): { readonly retryAfterMs?: number | undefined } | undefined {
    const { byKey = false, refusal } = this.#rules;
    // Binance's word for a ban: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits, 2 minutes at least.
    if (status === 418) return { retryAfterMs: 2 * 60_000 };
    if (status === 429 && !(signed && byKey)) return {};
    if (refusal === undefined || (signed && !refusal.signedToo) || !refusal.words.test(words)) return undefined;
    return { retryAfterMs: refusal.retryAfterMs };
  }

  usedPart(headers: Headers, kind: RequestKind): number {
    return this.#rules.usedPart?.(headers, kind) ?? 0;
  }

  isLastOfSecond(headers: Headers): boolean {
    return this.#rules.isLastOfSecond?.(headers) ?? false;
  }
}
