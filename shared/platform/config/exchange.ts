import * as z from 'zod';
import { MarketSymbol } from '#shared/model/symbols';
import { jsonText, numberText, setting } from './setting.ts';

/** 1M is a calendar month. */
const TimeframeName = z.string().regex(/^([1-9]\d{0,3}[smhdw]|1M)$/);
const venueUrls = z.record(z.string(), z.url({ protocol: /^https?$/ })).readonly();

export const exchange = {
  /** Origins that replace a venue's own, by venue; as text it is JSON: `{"binance":"http://127.0.0.1:9001"}`. */
  venueUrls: setting(venueUrls.default({}), {
    variable: 'ALPHAPULSE_VENUE_URLS',
    text: jsonText,
    oneMachine: { expected: 'JSON such as {"binance":"http://127.0.0.1:9001"}, venues with URLs' },
  }),
  /** Seed of the simulated venue `sim`: the same seed gives the same prices. */
  simulationSeed: setting(z.string().default('alphapulse'), { variable: 'ALPHAPULSE_SIM_SEED' }),
  /** Recorded candles that the venue `replay` plays. */
  replayFiles: setting(z.array(z.string()).readonly().default([])),
  /** What the one file of recorded candles is of, where neither its name nor its content is certain. */
  replaySymbol: setting(MarketSymbol.exactOptional(), {
    oneMachine: { flag: 'symbol', expected: 'a symbol such as BTC/USDT' },
  }),
  /** How long its candles last, as ccxt writes it. */
  replayTimeframe: setting(TimeframeName.exactOptional(), {
    oneMachine: { flag: 'timeframe', expected: 'a timeframe such as 1m, 4h or 1M' },
  }),
  /** How many times faster than real time they are played. */
  replaySpeed: setting(z.number().min(0.001).max(1_000_000).default(60), {
    text: numberText,
    oneMachine: { flag: 'speed', expected: 'a number above 0 such as 60' },
  }),
};
