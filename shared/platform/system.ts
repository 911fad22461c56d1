import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock, Ids, Random } from './ports.ts';

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake, { once: true });
    }),
};

/** Random bytes are taken from the system this many at a time: a call for each id costs more than the id. */
const poolBytes = 4096;
let pool = Buffer.alloc(0);

const takeBytes = (length: number): Buffer => {
  if (length > poolBytes) return randomBytes(length);
  if (pool.length < length) pool = randomBytes(poolBytes);
  // Bytes leave the pool for good, as a copy that keeps nothing else of it alive.
  const taken = Buffer.from(pool.subarray(0, length));
  pool = pool.subarray(length);
  return taken;
};

/** The operating system's randomness, fit for keys. */
export const systemRandom: Random = {
  // 48 bits, all that a double in [0, 1) can take from whole bytes.
  number: () => takeBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => new Uint8Array(takeBytes(length)),
};

/**
 * UUIDv7 in rising order, also within a millisecond and when the clock steps back: the 32 bits after the time count up
 * from a random start (RFC 9562, section 6.2, method 1).
 */
export const uuidV7Ids = (clock: Clock, random: Random): Ids => {
  let msecs = Number.NEGATIVE_INFINITY;
  let seq = 0;
  return {
    next: () => {
      const now = Math.floor(clock.now());
      const bytes = random.bytes(16);
      if (now > msecs) {
        msecs = now;
        // The top bit stays free, so that there is room to count.
        seq = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) >>> 1;
      } else {
        seq = (seq + 1) >>> 0;
        if (seq === 0) msecs++;
      }
      return v7({ msecs, seq, random: bytes });
    },
  };
};
