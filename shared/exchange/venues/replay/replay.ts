import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import { InvalidInput } from '#shared/platform/errors';
import type { Clock } from '#shared/platform/ports';
import type { RecordedCandles } from './candles.ts';
import { RecordedMarket } from './market.ts';

/** Most observations of one call; the next call goes on where it ended. */
export const REPLAY_STEPS_MAX = 2000;
/** Division and multiplication by the speed may lose this much of a millisecond. */
const ROUNDING_MS = 1e-6;

/** A venue that plays recorded candles, once. */
export interface Replay extends Venue {
  /** From the first to the last observation, wall time. */
  readonly durationMs: number;
  /** Wall time at which the last observation is due, epoch ms. */
  finishedAt(): number;
  /** `marketTime` is the moment of the record that is played now, epoch ms. */
  progress(): { readonly marketTime: number; readonly finished: boolean };
}

export interface ReplayOptions {
  /** One record per symbol. They are played on one common time that starts with the earliest. */
  readonly candles: readonly RecordedCandles[];
  /** Market time that passes in a unit of wall time: 60 plays an hour in a minute. */
  readonly speed: number;
  readonly clock: Clock;
  /** Wall time at which the earliest candle starts, epoch ms. */
  readonly startedAt: number;
}

/** @throws {InvalidInput} nothing to play, a symbol recorded twice, or a speed that is not above zero */
export function createReplay({ candles, speed, clock, startedAt }: ReplayOptions): Replay {
  if (!(speed > 0 && Number.isFinite(speed)))
    throw new InvalidInput('speed', 'The speed of a replay must be above zero');
  const markets = new Map<string, RecordedMarket>();
  for (const record of candles) {
    const other = markets.get(record.symbol);
    if (other !== undefined) {
      const twice = `${record.symbol} is recorded twice, in ${other.file} and ${record.file}`;
      throw new InvalidInput('candles', `${twice}; a replay takes one file per symbol`);
    }
    markets.set(record.symbol, new RecordedMarket(record));
  }
  if (markets.size === 0) throw new InvalidInput('candles', 'There are no candles to replay');

  const firstTime = Math.min(...[...markets.values()].map((market) => market.firstTime));
  const lastTime = Math.max(...[...markets.values()].map((market) => market.lastTime));
  const durationMs = Math.ceil((lastTime - firstTime) / speed);
  const marketTime = (): number => {
    const elapsed = Math.max(0, clock.now() - startedAt) * speed;
    return Math.min(lastTime, Math.floor(firstTime + elapsed + ROUNDING_MS));
  };
  return {
    id: 'replay',
    source: 'recorded',
    series: `${startedAt}/${firstTime}`,
    durationMs,
    finishedAt: () => startedAt + durationMs,
    progress: () => ({ marketTime: marketTime(), finished: marketTime() === lastTime }),
    markets: async () => [...markets.keys()].map(marketOf),
    useMarkets: () => {},
    tickers: async (symbols, seen) => {
      const now = marketTime();
      const due = [...new Set(symbols)].flatMap((symbol) => {
        const market = markets.get(symbol);
        return market === undefined || clock.now() < startedAt ? [] : [new Cursor(market, seen.get(symbol), now)];
      });
      return oldestFirst(due);
    },
  };
}

const marketOf = (symbol: string): Market => {
  const [base = '', quote = ''] = symbol.split('/');
  return { symbol, id: `${base}${quote}`, base, quote, type: 'spot', active: true };
};

/** The steps of one market that are due. */
class Cursor {
  readonly market: RecordedMarket;
  readonly #end: number;
  #next: number;

  constructor(market: RecordedMarket, seen: number | undefined, now: number) {
    this.market = market;
    this.#next = seen === undefined ? 0 : market.stepsUntil(seen);
    this.#end = market.stepsUntil(now);
  }

  /** Time of the next step, infinity when there is none. */
  get time(): number {
    return this.#next < this.#end ? this.market.stepTime(this.#next) : Number.POSITIVE_INFINITY;
  }

  take(): Ticker {
    return this.market.step(this.#next++);
  }
}

function oldestFirst(cursors: readonly Cursor[]): Ticker[] {
  const tickers: Ticker[] = [];
  while (tickers.length < REPLAY_STEPS_MAX) {
    const first = cursors.reduce<Cursor | undefined>(
      (oldest, cursor) => (cursor.time < (oldest?.time ?? Number.POSITIVE_INFINITY) ? cursor : oldest),
      undefined,
    );
    if (first === undefined) break;
    tickers.push(first.take());
  }
  return tickers;
}
