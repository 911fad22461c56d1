import { createHash } from 'node:crypto';

/** The odds of a false positive are 1 in 2 to this power: 1 in 16,384, or 6.1e-5. */
const remainderBits = 14;
const meanGap = 2 ** remainderBits;

/**
 * A set of texts that takes 16 bits for each: their hashes, sorted, as the gaps between them in Golomb-Rice code (Putze,
 * Sanders and Singler, "Cache-, hash- and space-efficient bloom filters", 2010; used as in BIP 158). It contains every text
 * that it was made of, and any other with a probability of 6.1e-5.
 */
export class HashedSet {
  readonly #hashes: Uint32Array;

  /** @param encoded as made by {@link encodedSet} of `count` texts */
  constructor(encoded: Uint8Array, count: number) {
    this.#hashes = decoded(encoded, count);
  }

  has(text: string): boolean {
    const hashes = this.#hashes;
    const wanted = hashOf(text, hashes.length);
    let [low, high] = [0, hashes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((hashes[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return hashes[low] === wanted;
  }
}

/** The texts as {@link HashedSet} reads them. @param texts fewer than 2^18, so that a hash fits into 32 bits */
export const encodedSet = (texts: ReadonlySet<string>): Uint8Array => {
  const hashes = [...texts].map((text) => hashOf(text, texts.size)).toSorted((one, other) => one - other);
  const bits = hashes
    .map((hash, index) => {
      const gap = hash - (hashes[index - 1] ?? 0);
      return `${'1'.repeat(Math.floor(gap / meanGap))}0${(gap % meanGap).toString(2).padStart(remainderBits, '0')}`;
    })
    .join('');
  return Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
};

const decoded = (encoded: Uint8Array, count: number): Uint32Array => {
  let position = 0;
  const nextBit = (): number => {
    const bit = ((encoded[position >>> 3] ?? 0) >>> (7 - (position & 7))) & 1;
    position += 1;
    return bit;
  };
  let hash = 0;
  return Uint32Array.from({ length: count }, () => {
    while (nextBit() === 1) hash += meanGap;
    let remainder = 0;
    for (let bit = 0; bit < remainderBits; bit++) remainder = remainder * 2 + nextBit();
    hash += remainder;
    return hash;
  });
};

/** Uniform in 0 … count * {@link meanGap} - 1, but for a bias below 2^-16. */
const hashOf = (text: string, count: number): number =>
  createHash('sha256').update(text).digest().readUIntBE(0, 6) % (count * meanGap);
