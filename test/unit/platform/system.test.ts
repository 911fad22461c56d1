import { describe, expect, it } from 'vitest';
import { systemClock, systemRandom, uuidV7Ids } from '#shared/platform/system';

describe('sleep', () => {
  it('ends at once when the signal aborts', async () => {
    const abort = new AbortController();
    const slept = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await expect(slept).resolves.toBeUndefined();
  });

  it('does not begin when the signal is aborted already', async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('lasts as long as it was told', async () => {
    const start = performance.now();
    await systemClock.sleep(5);
    expect(performance.now() - start).toBeGreaterThanOrEqual(4);
  });
});

describe('random numbers', () => {
  it('lie in [0, 1) and differ', () => {
    const numbers = Array.from({ length: 100 }, systemRandom.number);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBe(100);
    expect(systemRandom.bytes(32)).toHaveLength(32);
  });
});

describe('ids', () => {
  const idsAt = (times: number[], byte = 0xff) => {
    const ahead = [...times];
    const clock = { now: () => ahead.shift() ?? 0, sleep: async () => {} };
    const ids = uuidV7Ids(clock, { number: () => 0, bytes: (length) => new Uint8Array(length).fill(byte) });
    return times.map(() => ids.next());
  };

  it('are UUIDs of version 7 that tell the time', () => {
    expect(idsAt([0x0123456789ab])[0]).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('rise within a millisecond and when the clock steps back', () => {
    const ids = idsAt([1000, 1000, 1000.9, 999, 1001, 1001]);
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(6);
  });

  it('are the same again for the same time and randomness', () => {
    expect(idsAt([5, 5, 6], 7)).toEqual(idsAt([5, 5, 6], 7));
  });

  it('differ between processes that start in the same millisecond', () => {
    const [one, other] = [uuidV7Ids(systemClock, systemRandom), uuidV7Ids(systemClock, systemRandom)];
    expect(one.next().slice(14)).not.toBe(other.next().slice(14));
  });
});
