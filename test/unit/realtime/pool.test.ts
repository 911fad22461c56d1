import { describe, expect, it } from 'vitest';
import { inPool } from '#shared/realtime/pool';

describe('a pool', () => {
  it('runs at most so many tasks at a time, and a slow one holds up only its own place', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { promise: othersDone, resolve: lastDone } = Promise.withResolvers<void>();
    const done: number[] = [];
    let running = 0;
    let most = 0;
    const work = inPool(
      3,
      Array.from({ length: 20 }, (_, index) => index),
      async (index) => {
        running += 1;
        most = Math.max(most, running);
        await (index === 0 ? answered : Promise.resolve());
        running -= 1;
        done.push(index);
        if (done.length === 19) lastDone();
      },
    );
    await othersDone;
    expect([most, done.includes(0)]).toEqual([3, false]);
    answer();
    await work;
    expect(done).toHaveLength(20);
  });

  it('runs every task though one fails, and throws the failure then', async () => {
    const done: number[] = [];
    const work = inPool(2, [1, 2, 3, 4], async (item) => {
      if (item === 1) throw new Error('one failed');
      done.push(item);
    });
    await expect(work).rejects.toThrow('one failed');
    expect(done).toEqual([2, 3, 4]);
  });
});
