import { describe, expect, it } from 'vitest';
import { concurrently, piecesOf } from '#shared/platform/aws/concurrently';

describe('tasks', () => {
  it('run no more than allowed at a time', async () => {
    let running = 0;
    let most = 0;
    const task = async () => {
      running++;
      most = Math.max(most, running);
      await Promise.resolve();
      running--;
    };
    await concurrently(
      3,
      Array.from({ length: 10 }, () => task),
    );
    expect(most).toBe(3);
  });

  it('are not started after one failed, and those under way are waited for', async () => {
    const done: string[] = [];
    const ended = concurrently(2, [
      async () => {
        throw new Error('first');
      },
      async () => {
        await new Promise(setImmediate);
        done.push('under way');
      },
      async () => {
        done.push('never started');
      },
    ]);
    await expect(ended).rejects.toThrow('first');
    expect(done).toEqual(['under way']);
  });
});

describe('pieces', () => {
  it('keep the order', () => {
    expect(piecesOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(piecesOf([], 2)).toEqual([]);
  });
});
