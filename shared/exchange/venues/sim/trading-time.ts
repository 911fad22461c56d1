import { draw, gaussian, keyOf, uniform, uniforms } from './noise.ts';

/**
 * Multifractal trading time (Mandelbrot, Fisher & Calvet 1997, "A multifractal model of asset returns"): the market's own
 * clock runs fast when much is traded and slow when little is, and prices are Brownian motion on that clock. It is a
 * multiplicative cascade: a block of 32 days holds 32 days of trading time, a random weight splits it between its halves,
 * theirs between their halves, 21 levels down to 1.3 seconds. That gives clusters of volatility at every scale and leaves
 * the volatility over a block what it should be. A node of the cascade is named by the knot in its middle, counted from
 * the start of the block; its random numbers are drawn under that name.
 *
 * The unit of computation is a span: the 2048 leaves of a node of 45 minutes.
 */

export const DAY_MS = 86_400_000;
export const BLOCK_DAYS = 32;
export const LEAVES_OF_SPAN = 2048;
const SPANS_OF_BLOCK = 1024;
export const KNOTS_OF_BLOCK = SPANS_OF_BLOCK * LEAVES_OF_SPAN;
export const SPAN_MS = (BLOCK_DAYS * DAY_MS) / SPANS_OF_BLOCK;
const LEAF_MS = SPAN_MS / LEAVES_OF_SPAN;
/** Start of block 0 (a midnight): the moment at which every asset has its central price. */
const ORIGIN = Date.UTC(2025, 0, 1);

/** How unevenly a node is split: half of it gets between (1 - c) / 2 and (1 + c) / 2 of the trading time. */
const CASCADE = 0.6;
/** Trading over the day: a wave around its mean that is highest in the American morning. */
const SEASON_SWING = 0.35;
const SEASON_PEAK_MS = (15 / 24) * DAY_MS;

/** Reads an element that is known to exist; NaN would show the mistake. */
const at = (values: Float64Array, index: number): number => values[index] ?? Number.NaN;

/** A node on the way from the block to the span. */
interface Ancestor {
  readonly knot: number;
  readonly share: number;
  readonly deviation: number;
  /** Whether the span lies in the later half. */
  readonly later: boolean;
}

/** 45 minutes of trading time, and what a Brownian bridge needs to be drawn on it. */
export interface Span {
  readonly block: number;
  /** Its first knot, counted from the start of the block. */
  readonly firstKnot: number;
  readonly ancestors: readonly Ancestor[];
  /** Trading time since the origin at every knot, in days. */
  readonly time: Float64Array;
  /** By the knot in a node's middle: the first half's share of the node's trading time. */
  readonly share: Float64Array;
  /** By the knot in a node's middle: standard deviation of a Brownian bridge there, for one unit a square root of a day. */
  readonly deviation: Float64Array;
}

/** Index of the span that holds a moment, and the moment's place in it, counted in leaves. */
export const placeOf = (timestamp: number): { readonly span: number; readonly leaves: number } => {
  const span = Math.floor((timestamp - ORIGIN) / SPAN_MS);
  return { span, leaves: (timestamp - ORIGIN - span * SPAN_MS) / LEAF_MS };
};

/** Trading expected from the origin to a knot of a block, in ms of an average day. */
const season = (knot: number): number => {
  const elapsed = knot * LEAF_MS;
  const radians = (2 * Math.PI) / DAY_MS;
  return elapsed + (SEASON_SWING / radians) * Math.sin(radians * (elapsed - SEASON_PEAK_MS));
};

const expectedShare = (first: number, middle: number, last: number): number =>
  (season(middle) - season(first)) / (season(last) - season(first));

/** The first half's share of a node. @param random uniform in (0, 1) */
const split = (expected: number, random: number): number =>
  expected + CASCADE * (2 * random - 1) * Math.min(expected, 1 - expected);

/** The trading time of one seed. */
export class TradingTime {
  readonly #key: number;

  constructor(seed: string) {
    this.#key = keyOf(`${seed}/trading time`);
  }

  span(index: number): Span {
    const block = Math.floor(index / SPANS_OF_BLOCK);
    const firstKnot = (index - block * SPANS_OF_BLOCK) * LEAVES_OF_SPAN;
    const key = draw(this.#key, block);
    const ancestors: Ancestor[] = [];
    let start = block * BLOCK_DAYS;
    let length = BLOCK_DAYS;
    for (let first = 0, size = KNOTS_OF_BLOCK; size > LEAVES_OF_SPAN; size /= 2) {
      const knot = first + size / 2;
      const share = split(expectedShare(first, knot, first + size), uniform(draw(key, knot)));
      const later = firstKnot >= knot;
      ancestors.push({ knot, share, deviation: Math.sqrt(length * share * (1 - share)), later });
      if (later) {
        start += length * share;
        first = knot;
      }
      length *= later ? 1 - share : share;
    }
    return { block, firstKnot, ancestors, ...fill(key, firstKnot, start, length) };
  }
}

/** The part of the cascade below a span; within 45 minutes the time of day makes no difference. */
function fill(
  key: number,
  firstKnot: number,
  start: number,
  length: number,
): Pick<Span, 'time' | 'share' | 'deviation'> {
  const time = new Float64Array(LEAVES_OF_SPAN + 1);
  // Random numbers at first; each becomes its node's share.
  const share = uniforms(key, firstKnot, LEAVES_OF_SPAN);
  const deviation = new Float64Array(LEAVES_OF_SPAN);
  time[0] = start;
  time[LEAVES_OF_SPAN] = start + length;
  for (let size = LEAVES_OF_SPAN; size > 1; size /= 2) {
    for (let knot = size / 2; knot < LEAVES_OF_SPAN; knot += size) {
      const from = at(time, knot - size / 2);
      const node = at(time, knot + size / 2) - from;
      const weight = split(0.5, at(share, knot));
      time[knot] = from + weight * node;
      share[knot] = weight;
      deviation[knot] = Math.sqrt(node * weight * (1 - weight));
    }
  }
  return { time, share, deviation };
}

/**
 * A Brownian bridge over a span's block, on its trading time.
 * @param key of the block's random numbers
 * @param sigma standard deviation after one day
 * @param left level at the start of the block
 * @param right level at its end
 * @returns levels at the span's knots
 */
export function bridge(span: Span, key: number, sigma: number, left: number, right: number): Float64Array {
  const path = new Float64Array(LEAVES_OF_SPAN + 1);
  let [from, to] = [left, right];
  for (const { knot, share, deviation, later } of span.ancestors) {
    const middle = from + share * (to - from) + sigma * deviation * gaussian(draw(key, knot));
    if (later) from = middle;
    else to = middle;
  }
  path[0] = from;
  path[LEAVES_OF_SPAN] = to;
  const { share, deviation, firstKnot } = span;
  for (let size = LEAVES_OF_SPAN; size > 1; size /= 2) {
    const half = size / 2;
    for (let knot = half; knot < LEAVES_OF_SPAN; knot += size) {
      const before = at(path, knot - half);
      const straight = before + at(share, knot) * (at(path, knot + half) - before);
      path[knot] = straight + sigma * at(deviation, knot) * gaussian(draw(key, firstKnot + knot));
    }
  }
  return path;
}
