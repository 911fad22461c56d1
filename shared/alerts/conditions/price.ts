import * as z from 'zod';
import { type Direction, opposite, priceSeries } from '#shared/market/crossing-entry';
import { recordedAtOf, tickerKey } from '#shared/market/tickers';
import { Decimal } from '#shared/model/decimal';
import { Price } from '#shared/model/decimal-string';
import { MarketSymbol, VenueId } from '#shared/model/symbols';
import { InvalidInput, Unavailable } from '#shared/platform/errors';
import { ABSENT, equals } from '#shared/platform/table';
import type { ConditionKind } from './condition.ts';

/** How far a price must go back through a level before a repeating alert is armed again, as a fraction of the level. */
const hysteresis = '0.001';

/**
 * A level of a symbol's last price. `above` and `below` also fire when they hold already at creation; `crosses_*` need a
 * move. Reaching the level counts: from below 100 to exactly 100 is above 100 and crosses above 100.
 */
export const PriceCondition = z
  .strictObject({
    type: z.literal('price'),
    venue: VenueId,
    symbol: MarketSymbol,
    operator: z.enum(['above', 'below', 'crosses_above', 'crosses_below']),
    value: Price,
  })
  .meta({ id: 'PriceCondition' });
export type PriceCondition = z.infer<typeof PriceCondition>;
type Operator = PriceCondition['operator'];

const directionOf = (operator: Operator): Direction =>
  operator === 'above' || operator === 'crosses_above' ? 'up' : 'down';
const isState = (operator: Operator): boolean => operator === 'above' || operator === 'below';

const phrases = {
  above: 'is above',
  below: 'is below',
  crosses_above: 'crossed above',
  crosses_below: 'crossed below',
} as const satisfies { readonly [operator in Operator]: string };

export const priceCondition = {
  type: 'price',
  schema: PriceCondition,

  async validate({ venue, symbol }, path, { config, catalog }) {
    if (!config.market.venues.includes(venue)) {
      const choice = config.market.venues.join(' or ');
      throw new InvalidInput(`${path}.venue`, `Prices of ${venue} are not tracked here; choose ${choice}.`);
    }
    if (await catalog.has(venue, symbol)) return;
    if ((await catalog.readAt(venue)) === undefined) {
      throw new Unavailable(`The markets of ${venue} have not been loaded yet; try again in a moment.`);
    }
    throw new InvalidInput(`${path}.symbol`, `${venue} does not trade ${symbol}.`);
  },

  markets: ({ venue, symbol }) => [{ venue, symbol }],

  subject: ({ venue, symbol, value }) => ({ venue, symbol, level: value }),

  async observe({ venue, symbol }, { config, catalog, tickers }) {
    const ticker = await tickers.of(venue, symbol, { consistent: true });
    if (!config.market.symbols.includes(symbol)) await catalog.watch(venue, symbol);
    const isUnmoved = ticker === undefined ? ABSENT : equals('version', ticker.version);
    const series = priceSeries(venue, symbol);
    const recordedAt = ticker === undefined ? undefined : recordedAtOf(ticker);
    return {
      readings: [{ series, value: ticker?.last, previous: undefined, version: ticker?.version ?? 0, recordedAt }],
      unmoved: [{ check: tickerKey(venue, symbol), if: isUnmoved }],
    };
  },

  arm({ venue, symbol, operator, value }, role) {
    const series = priceSeries(venue, symbol);
    const direction = directionOf(operator);
    if (role === 'fire') return [{ series, direction, value, reachedByFirst: isState(operator) }];
    const margin = new Decimal(value).times(hysteresis);
    const back = direction === 'up' ? new Decimal(value).minus(margin) : new Decimal(value).plus(margin);
    return [{ series, direction: opposite(direction), value: back.toFixed(), reachedByFirst: true }];
  },

  evaluate({ venue, symbol, operator, value }, readings) {
    const reading = readings.find(({ series }) => series === priceSeries(venue, symbol));
    if (reading?.value === undefined) return undefined;
    const isReached = (price: string) =>
      directionOf(operator) === 'up' ? new Decimal(price).gte(value) : new Decimal(price).lte(value);
    if (isState(operator)) return isReached(reading.value);
    return reading.previous !== undefined && isReached(reading.value) && !isReached(reading.previous);
  },

  message: ({ venue, symbol, operator, value }, price) =>
    `${symbol} on ${venue} ${phrases[operator]} ${value}: the last price is ${price}.`,

  audit: ({ venue, symbol, operator, value }) => ({ venue, symbol, operator, value }),
} as const satisfies ConditionKind<PriceCondition>;
