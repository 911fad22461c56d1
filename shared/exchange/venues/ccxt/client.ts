import type { Logger } from '@aws-lambda-powertools/logger';
import type { Exchange } from 'ccxt';
import type { CallBudget } from '#shared/exchange/budget/venue-budget';
import type { Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';
import { DomainError } from '#shared/platform/errors';
import type { Clock, Network } from '#shared/platform/ports';
import { knownErrors, translate } from './errors.ts';
import { exchangeIds, importExchange } from './exchanges.ts';
import { venueFetch } from './fetch.ts';
import { keepOddRows } from './odd-rows.ts';
import { keepBudget } from './throttle.ts';
import { VenueTime } from './venue-time.ts';

/** Longest time for one request. */
export const requestTimeoutMs = 10_000;
/** Longest time for one operation: several requests, and the pauses that keep a venue's rate limit. */
export const operationTimeoutMs = 30_000;

export interface CcxtClientOptions {
  /** ccxt id of the exchange. */
  readonly id: string;
  readonly network: Pick<Network, 'fetch'>;
  readonly clock: Clock;
  /** Replaces the origin of every URL of the exchange. */
  readonly originOverride?: string | undefined;
  /** Defaults to {@link requestTimeoutMs}. */
  readonly requestTimeoutMs?: number;
  /** Where rows that can't be read are reported. */
  readonly logger?: Pick<Logger, 'warn'> | undefined;
  /** Of the account that is read; public requests need none. */
  readonly credentials?: Credentials | undefined;
  /** ccxt's types of markets that are listed; `['spot']` when left out. */
  readonly marketTypes?: readonly string[] | undefined;
  /** Rate limits shared with other clients; without it, ccxt paces this client alone. */
  readonly budget?: CallBudget | undefined;
  /** The venue's clock, as the clients of this process know it; by default each measures it. */
  readonly time?: VenueTime | undefined;
  /** Whether a GET was answered in the shape that its path has; an answer that was not is refused. */
  readonly hasShape?: ((path: string, answer: unknown) => boolean) | undefined;
}

/** A ccxt exchange over the platform's network. */
export interface CcxtClient {
  readonly exchange: Exchange;
  /** Runs an operation within a time, {@link operationTimeoutMs} when left out. @throws {VenueError} whatever goes wrong */
  run<T>(operation: (exchange: Exchange) => Promise<T>, timeoutMs?: number): Promise<T>;
}

/**
 * A client for the markets of one exchange and the account of the credentials, made without a request. Numbers arrive as
 * the venue's decimal strings.
 * @throws {VenueError} `not-supported`: ccxt has no such exchange
 */
export const createCcxtClient = async (options: CcxtClientOptions): Promise<CcxtClient> => {
  const { id, network, clock, credentials, budget, marketTypes = ['spot'], time = new VenueTime() } = options;
  const parts = credentials?.reveal();
  const { fetch, retryAfterMs } = venueFetch(id, network, clock, options.originOverride);
  const ExchangeClass = await loadExchange(id);
  const exchange = new ExchangeClass({
    enableRateLimit: true,
    timeout: options.requestTimeoutMs ?? requestTimeoutMs,
    number: String,
    milliseconds: () => clock.now(),
    fetchImplementation: fetch,
    // ccxt would keep the last answer, which may be megabytes, and its headers.
    enableLastHttpResponse: false,
    enableLastResponseHeaders: false,
    options: { defaultType: 'spot' },
    ...parts,
  });
  onlyMarkets(exchange, marketTypes);
  refuseMalformed(exchange, options.hasShape ?? (() => true));
  skipMalformedTickers(exchange, options.logger);
  adaptations[id]?.(exchange, clock);
  if (parts !== undefined) {
    onlyOwn(exchange);
    keepOddRows(exchange);
  }
  if (budget !== undefined) keepBudget(exchange, budget, clock);
  const secrets = Object.values(parts ?? {});

  return {
    exchange,
    run: async (operation, timeoutMs = operationTimeoutMs) => {
      const ended = new AbortController();
      const tooLong = clock.sleep(timeoutMs, ended.signal).then((): never => {
        throw new VenueError(id, 'retryable', `${id} did not answer in time`);
      });
      try {
        return await Promise.race([time.keeping(exchange, operation), tooLong]);
      } catch (error) {
        // A failure of our own services is not the venue's.
        throw error instanceof DomainError ? error : translate(id, error, retryAfterMs(), secrets);
      } finally {
        ended.abort();
      }
    },
  };
};

/** What a venue needs beyond ccxt, by id. */
const adaptations: Readonly<Record<string, ((exchange: Exchange, clock: Clock) => void) | undefined>> = {
  binance: (exchange) => weighTickers(exchange),
  kraken: (exchange, clock) => growNonce(exchange, clock),
};

/** Switches off what ccxt would do on its own with credentials. */
const onlyOwn = (exchange: Exchange): void => {
  // With every load of the markets ccxt would also request all currencies, signed.
  exchange.has.fetchCurrencies = false;
  exchange.options.warnOnFetchOpenOrdersWithoutSymbol = false;
  // If a key was accepted before, ccxt reports Binance's refusal of it as a rate limit.
  Object.defineProperty(exchange.options, 'hasAlreadyAuthenticatedSuccessfully', { get: () => false, set: () => {} });
  const sign = exchange.sign.bind(exchange);
  exchange.sign = (...request: Parameters<typeof sign>) => {
    try {
      return sign(...request);
    } catch (error) {
      if (error instanceof Error && knownErrors.includes(error.name)) throw error;
      throw new VenueError(exchange.id, 'authentication', `The secret is not in the form that ${exchange.id} gives`);
    }
  };
};

const loadExchange = async (id: string) => {
  const ids = exchangeIds();
  if (ids.includes(id)) return importExchange(id);
  const similar = ids.toSorted((a, b) => distance(a, id) - distance(b, id)).slice(0, 3);
  throw new VenueError(
    id,
    'not-supported',
    `There is no venue ${id.slice(0, 40)}; did you mean ${similar.join(', ')}?`,
  );
};

/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** Venues that keep spot and contracts behind different endpoints are queried only for the types that are wanted. */
const onlyMarkets = (exchange: Exchange, wanted: readonly string[]): void => {
  const listing: unknown = exchange.options.fetchMarkets;
  if (typeof listing !== 'object' || listing === null || !('types' in listing)) return;
  const { types } = listing;
  if (Array.isArray(types)) {
    if (types.includes('spot')) listing.types = types.filter((type) => wanted.includes(type));
  } else if (typeof types === 'object' && types !== null && 'spot' in types) {
    listing.types = { ...emptied(types), ...Object.fromEntries(wanted.map((type) => [type, true])) };
  }
};

const emptied = (types: object) => Object.fromEntries(Object.keys(types).map((type) => [type, false]));

/**
 * ccxt passes on an answer that is not JSON as a string and reads an empty list from it, as it does from an object of
 * another shape; here both are errors.
 */
const refuseMalformed = (exchange: Exchange, hasShape: (path: string, answer: unknown) => boolean): void => {
  const fetch = exchange.fetch.bind(exchange);
  exchange.fetch = async (url, method = 'GET', headers?, body?) => {
    const answer: unknown = await fetch(url, method, headers, body);
    if ((method === 'GET' && typeof answer === 'string') || !hasShape(new URL(url).pathname, answer)) {
      throw new VenueError(exchange.id, 'retryable', `${exchange.id} gave an answer that could not be understood`);
    }
    return answer;
  };
};

/** One number that ccxt can't compute with must not lose the other tickers of the same answer. */
const skipMalformedTickers = (exchange: Exchange, logger: Pick<Logger, 'warn'> | undefined): void => {
  const parse = exchange.parseTicker.bind(exchange);
  exchange.parseTicker = (ticker, market) => {
    try {
      return parse(ticker, market);
    } catch {
      logger?.warn('A venue sent a ticker that can not be read', { venue: exchange.id, symbol: market?.symbol });
      return exchange.safeTicker({}, market);
    }
  };
};

/**
 * Binance weighs 24 h tickers by the number of symbols: 2 up to 20, 40 up to 100, 80 above (a weight of 5 is ccxt's
 * cost of 1). ccxt charges every list as 80, which would limit syncs of a few symbols to one in 800 ms.
 */
const weighTickers = (exchange: Exchange): void => {
  const cost = exchange.calculateRateLimiterCost.bind(exchange);
  exchange.calculateRateLimiterCost = (api, method, path, params, config) => {
    if (path !== 'ticker/24hr' || typeof params.symbols !== 'string') return cost(api, method, path, params, config);
    const symbols = params.symbols.split(',').length;
    return (symbols <= 20 ? 2 : symbols <= 100 ? 40 : 80) / 5;
  };
};

/** Kraken refuses a nonce that it has seen, even within the same millisecond. */
const growNonce = (exchange: Exchange, clock: Pick<Clock, 'now'>): void => {
  let last = 0;
  exchange.nonce = () => {
    last = Math.max(last + 1, clock.now());
    return last;
  };
};
