import { basename, resolve } from 'node:path';
import type { RecordedCandles } from '#shared/exchange/venues/replay/candles';
import { exchange } from '#shared/platform/config/exchange';
import { defaultOf } from '#shared/platform/config/setting';
import { createNetwork } from '#shared/platform/network';
import type { Config } from '#shared/platform/ports';
import { systemClock } from '#shared/platform/system';
import { BadOption } from './given-settings.ts';
import type { Options } from './options.ts';

const symbolsDefault = [
  'BTC/USDT',
  'ETH/USDT',
  'SOL/USDT',
  'BNB/USDT',
  'XRP/USDT',
  'ADA/USDT',
  'DOGE/USDT',
  'AVAX/USDT',
];
/** How long live venues have to answer before the simulator replaces them. */
const probeMs = 2_000;

/** Where prices come from, and its description for a person. */
export interface PriceSource {
  readonly venues: readonly string[];
  readonly symbols: readonly string[];
  readonly files: readonly string[];
  readonly description: string;
  /** What was read of each recorded file, what was assumed, and its gaps. */
  readonly notes: readonly string[];
  /** Where `auto` found no live venue: what replaces it, and why. */
  readonly fallback?: NonNullable<Config['market']['fallback']>;
}

/**
 * Finds out where prices come from; `auto` probes the live venues.
 * @throws {BadCandleFile} a file can't be played
 * @throws {BadOption} two files record the same symbol
 */
export const choosePriceSource = async (options: Options): Promise<PriceSource> => {
  const { symbols } = options.settings.market ?? {};
  const { replayFiles = [] } = options.settings.exchange ?? {};
  const recordings = await readRecordings(options.settings.exchange);
  const recorded = recordings.map(({ symbol }) => symbol);
  const notes = recordings.map(noteOf);
  const files = replayFiles.map((file) => resolve(file));
  if (options.venues === 'auto') {
    return { ...(await liveOrSimulated(options)), symbols: symbols ?? symbolsDefault, files, notes };
  }
  const onlyRecorded = options.venues.every((venue) => venue === 'replay');
  const others = onlyRecorded ? [] : symbolsDefault;
  return {
    venues: options.venues,
    symbols: symbols ?? [...new Set([...recorded, ...others])],
    files,
    description: options.venues.map((venue) => describe(venue, options.settings)).join('; '),
    notes,
  };
};

const describe = (venue: string, { exchange: settings = {} }: Options['settings']): string => {
  const { replayFiles: files = [], replaySpeed: speed = defaultOf(exchange.replaySpeed) } = settings;
  if (venue === 'sim') return 'simulated (venue sim)';
  if (venue === 'replay') return `recorded, played ${speed} times as fast as time (venue replay: ${files.join(', ')})`;
  return `live, the public prices of ${venue}`;
};

const liveOrSimulated = async ({ settings }: Options) => {
  const { probeLive } = await import('#shared/exchange/venues/auto');
  const network = createNetwork({ publicOnly: false });
  const probe = await probeLive({
    network,
    clock: systemClock,
    venueUrls: settings.exchange?.venueUrls ?? {},
    timeoutMs: probeMs,
  });
  if (probe.id !== undefined) return { venues: [probe.id], description: describe(probe.id, settings) };
  return {
    venues: ['sim'],
    fallback: { venue: 'sim', reason: probe.reason },
    description: `${describe('sim', settings)}, because no live venue answered: ${probe.reason}`,
  };
};

const readRecordings = async (settings: Options['settings']['exchange']): Promise<RecordedCandles[]> => {
  const { replayFiles: files = [], replaySymbol: symbol, replayTimeframe = '' } = settings ?? {};
  if (files.length === 0) return [];
  const { loadCandles } = await import('#shared/exchange/venues/replay/candle-file');
  const { Timeframe } = await import('#shared/exchange/venues/replay/timeframe');
  const recordings = new Map<string, RecordedCandles>();
  for (const file of files) {
    const candles = await loadCandles(file, { symbol, timeframe: Timeframe.parse(replayTimeframe) });
    const other = recordings.get(candles.symbol);
    if (other !== undefined) {
      throw new BadOption(`--replay: ${candles.symbol} is recorded twice, in ${other.file} and ${file}.`);
    }
    recordings.set(candles.symbol, candles);
  }
  return [...recordings.values()];
};

const noteOf = ({ file, symbol, timeframe, count, notes }: RecordedCandles): string =>
  [`${basename(file)}: ${count} candles of ${symbol}, ${timeframe}`, ...notes].join('; ');
