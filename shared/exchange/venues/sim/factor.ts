import { draw, gaussian, keyOf, uniform } from './noise.ts';
import { BLOCK_DAYS, bridge, KNOTS_OF_BLOCK, type Span } from './trading-time.ts';

const DAYS_OF_YEAR = 365.25;
const JUMPS_PER_YEAR = 20;
/** The part of a factor's variance that comes from its jumps. */
const JUMP_VARIANCE_SHARE = 0.08;
/** Standard deviation of the logarithm of a jump's size. */
const JUMP_SPREAD = 0.5;

/** Where the random numbers of a block's jumps begin: behind those of its knots. */
const JUMP_DRAWS = 2 * KNOTS_OF_BLOCK;

interface Jump {
  /** The first knot, counted from the start of the block, that has it. */
  readonly knot: number;
  readonly size: number;
}

/**
 * One source of returns: Brownian motion on trading time, with jumps (Merton 1976: compound Poisson, log-normal sizes,
 * both directions alike). Its level is a random walk over blocks, pulled back towards zero so that prices stay plausible
 * over years; within a block it is a Brownian bridge from level to level. The jumps of a block are part of its change:
 * the bridge runs between the levels without them, and each is added from its knot on, so that it lasts, and so that the
 * path is whole at the borders. Between knots the path is a straight line, hence a jump takes one leaf, 1.3 seconds.
 */
export class Factor {
  readonly #key: number;
  readonly #sigma: number;
  readonly #jumpMedian: number;
  readonly #persistence: number;
  /** Levels at the starts of blocks 0, 1, 2… and of blocks 0, -1, -2… */
  readonly #after: number[] = [0];
  readonly #before: number[] = [0];

  /**
   * @param volatility annual, jumps included (0.5 is 50 %)
   * @param persistence what is left of the level after a block, 0..1
   */
  constructor(seed: string, name: string, volatility: number, persistence: number) {
    this.#key = keyOf(`${seed}/factor/${name}`);
    this.#sigma = volatility * Math.sqrt((1 - JUMP_VARIANCE_SHARE) / DAYS_OF_YEAR);
    this.#jumpMedian = volatility * Math.sqrt(JUMP_VARIANCE_SHARE / (JUMPS_PER_YEAR * Math.exp(2 * JUMP_SPREAD ** 2)));
    this.#persistence = persistence;
  }

  /** The factor's level at every knot of a span. */
  path(span: Span): Float64Array {
    const key = draw(this.#key, span.block);
    const jumps = this.#jumps(span.block);
    const left = this.#level(span.block);
    const right = this.#level(span.block + 1) - sum(jumps);
    const path = bridge(span, key, this.#sigma, left, right);
    for (const jump of jumps) {
      const first = Math.max(0, jump.knot - span.firstKnot);
      for (let knot = first; knot < path.length; knot++) path[knot] = (path[knot] ?? 0) + jump.size;
    }
    return path;
  }

  /** Before the origin the walk runs backwards by the same rule. */
  #level(block: number): number {
    const levels = block < 0 ? this.#before : this.#after;
    let level = levels.at(-1) ?? 0;
    while (levels.length <= Math.abs(block)) {
      const step = levels.length;
      level = this.#persistence * level + (block < 0 ? -this.#change(-step) : this.#change(step - 1));
      levels.push(level);
    }
    return levels[Math.abs(block)] ?? 0;
  }

  #change(block: number): number {
    const diffusion = this.#sigma * Math.sqrt(BLOCK_DAYS) * gaussian(draw(draw(this.#key, block), 0));
    return diffusion + sum(this.#jumps(block));
  }

  #jumps(block: number): Jump[] {
    const key = draw(this.#key, block);
    const jumps: Jump[] = [];
    let next = JUMP_DRAWS;
    const random = (): number => draw(key, next++);
    const rate = (JUMPS_PER_YEAR * BLOCK_DAYS) / DAYS_OF_YEAR;
    for (let due = -Math.log(uniform(random())) / rate; due < 1; due += -Math.log(uniform(random())) / rate) {
      const direction = random() < 0 ? -1 : 1;
      jumps.push({
        knot: Math.ceil(due * KNOTS_OF_BLOCK),
        size: direction * this.#jumpMedian * Math.exp(JUMP_SPREAD * gaussian(random())),
      });
    }
    return jumps;
  }
}

const sum = (jumps: readonly Jump[]): number => jumps.reduce((total, jump) => total + jump.size, 0);
