/**
 * Random numbers by address instead of by order: the same key and index always give the same number, so that any moment
 * of the simulated market can be computed without the ones before it.
 */

const rotate = (bits: number, by: number): number => (bits << by) | (bits >>> (32 - by));

const finalise = (bits: number): number => {
  let hash = bits ^ (bits >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** 32 random bits: MurmurHash3 (Appleby 2011) of the one word `index`, seeded with `key`. */
export const draw = (key: number, index: number): number => {
  const word = Math.imul(rotate(Math.imul(index, 0xcc9e2d51), 15), 0x1b873593);
  return finalise((Math.imul(rotate(key ^ word, 13), 5) + 0xe6546b64) | 0);
};

/** The key of a name: its characters drawn one after the other. */
export const keyOf = (name: string): number => {
  let key = name.length;
  for (let i = 0; i < name.length; i++) key = draw(key, name.charCodeAt(i));
  return key;
};

/** Uniform in (0, 1). */
export const uniform = (bits: number): number => ((bits >>> 0) + 0.5) / 2 ** 32;

const CELLS = 4096;
const REACH = 4;

/** Quantiles of the standard normal distribution at i / CELLS, by integrating its density from -REACH up. */
const QUANTILES = ((): Float64Array => {
  const quantiles = new Float64Array(CELLS + 1).fill(REACH);
  quantiles[0] = -REACH;
  const step = 1 / 1024;
  const below = 3.1671e-5;
  let mass = below;
  let cell = 1;
  for (let x = -REACH; cell < CELLS && x < REACH; x += step) {
    const slice = (step / Math.sqrt(2 * Math.PI)) * Math.exp(-((x + step / 2) ** 2) / 2);
    while (cell < CELLS && mass + slice >= cell / CELLS) {
      quantiles[cell] = x + (step * (cell / CELLS - mass)) / slice;
      cell++;
    }
    mass += slice;
  }
  return quantiles;
})();

/** Standard normal, cut at ±4, by inverting its distribution with a table. */
export const gaussian = (bits: number): number => {
  const cell = bits >>> 20;
  const low = QUANTILES[cell] ?? Number.NaN;
  const high = QUANTILES[cell + 1] ?? Number.NaN;
  return low + ((high - low) * (bits & 0xfffff)) / 0x100000;
};

/** The uniform numbers of `count` successive indexes. */
export const uniforms = (key: number, first: number, count: number): Float64Array => {
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = uniform(draw(key, first + i));
  return numbers;
};
