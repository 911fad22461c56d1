import * as z from 'zod';
import { MarketSymbol, VenueId } from '#shared/model/symbols';
import { listText, numberText, setting } from './setting.ts';

/** Longest list of symbols to watch. */
export const WATCHED_SYMBOLS_MAX = 200;

export const market = {
  /** Venues whose prices are watched: ccxt ids, `sim`, `replay`. */
  venues: setting(z.array(VenueId).readonly(), { variable: 'ALPHAPULSE_VENUES', text: listText }),
  /** Symbols that are always watched, besides those of alerts. */
  symbols: setting(z.array(MarketSymbol).max(WATCHED_SYMBOLS_MAX).readonly().default([]), {
    variable: 'ALPHAPULSE_SYMBOLS',
    text: listText,
    oneMachine: { flag: 'symbols', expected: 'a list of symbols such as BTC/USDT,ETH/USDT' },
  }),
  /** Period of the market sync in seconds, 0.05..60. */
  syncSeconds: setting(z.number().min(0.05).max(60).default(5), {
    variable: 'ALPHAPULSE_MARKET_SYNC_SECONDS',
    text: numberText,
  }),
  /** How long one run of the market sync keeps polling, seconds; 0 polls once. */
  syncWindowSeconds: setting(z.number().min(0).max(840).default(0), {
    variable: 'ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS',
    text: numberText,
  }),
  /** The venue that replaces the live ones where `auto` found none, and why. */
  fallback: setting(z.object({ venue: z.string(), reason: z.string() }).readonly().exactOptional()),
};
