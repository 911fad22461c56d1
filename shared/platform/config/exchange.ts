import * as z from 'zod';
import { jsonText, numberText, setting } from './setting.ts';

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
  /** How many times faster than real time they are played. */
  replaySpeed: setting(z.number().min(0.001).max(1_000_000).default(60), {
    text: numberText,
    oneMachine: { flag: 'speed', expected: 'a number above 0 such as 60' },
  }),
};
