import { describe, expect, it } from 'vitest';
import { redrive } from '#shared/operations/redrive';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../../support/virtual-clock.ts';

const all = Number.POSITIVE_INFINITY;

const given = async (...bodies: string[]) => {
  const clock = new VirtualClock();
  const ids = uuidV7Ids(clock, systemRandom);
  const deadLetters = new SqliteQueue({ database: openMemoryDatabase(), name: 'deliveries-dead', clock, ids });
  await deadLetters.send(bodies.map((body) => ({ body })));
  const handled: string[] = [];
  const handle = async (body: string) => {
    if (body.startsWith('bad')) throw new Error(`${body} is bad`);
    handled.push(body);
  };
  return { clock, deadLetters, handled, handle };
};
const numbered = (count: number) => Array.from({ length: count }, (_, position) => `letter ${position}`);

describe('redrive', () => {
  it('hands over every dead letter and leaves none', async () => {
    const { clock, deadLetters, handled, handle } = await given(...numbered(25));
    expect(await redrive(deadLetters, handle, { max: all, clock })).toEqual({
      handled: 25,
      failures: new Map(),
      left: 0,
    });
    expect(handled.toSorted()).toEqual(numbered(25).toSorted());
  });

  it('keeps those that fail, counts them by reason and lets them be had again at once', async () => {
    const { clock, deadLetters, handled, handle } = await given('bad 1', 'good', 'bad 2', 'bad 1');
    const { failures, ...rest } = await redrive(deadLetters, handle, { max: all, clock });
    expect(rest).toEqual({ handled: 1, left: 3 });
    expect(handled).toEqual(['good']);
    expect([...failures].sort()).toEqual([
      ['bad 1 is bad', 2],
      ['bad 2 is bad', 1],
    ]);
    expect(await deadLetters.depth()).toEqual({ waiting: 3, delayed: 0, inFlight: 0 });
  });

  it('ends after the number given', async () => {
    const { clock, deadLetters, handled, handle } = await given(...numbered(15));
    expect(await redrive(deadLetters, handle, { max: 12, clock })).toMatchObject({ handled: 12, left: 3 });
    expect(handled).toHaveLength(12);
  });

  it('leaves alone what dies while it runs, as what it sends back may', async () => {
    const { clock, deadLetters } = await given('a', 'b');
    const again = (body: string) => deadLetters.send([{ body }]);
    expect(await redrive(deadLetters, again, { max: all, clock })).toMatchObject({ handled: 2, left: 2 });
  });

  it('loses nothing when it is killed: what was not removed is handled the next time', async () => {
    const { clock, deadLetters, handled, handle } = await given('a', 'b');
    const killed = Object.assign(Object.create(deadLetters), {
      receive: (max: number, seconds: number) => deadLetters.receive(max, seconds),
      depth: () => deadLetters.depth(),
      release: async () => undefined,
      remove: () => Promise.reject(new Error('killed')),
    });
    await expect(redrive(killed, handle, { max: all, clock })).rejects.toThrow('killed');
    expect(await redrive(deadLetters, handle, { max: all, clock })).toEqual({
      handled: 0,
      failures: new Map(),
      left: 2,
    });
    await deadLetters.reclaim();
    expect(await redrive(deadLetters, handle, { max: all, clock })).toMatchObject({ handled: 2, left: 0 });
    expect(handled).toHaveLength(3);
  });

  it('finds nothing in an empty queue', async () => {
    const { clock, deadLetters, handle } = await given();
    expect(await redrive(deadLetters, handle, { max: all, clock })).toEqual({
      handled: 0,
      failures: new Map(),
      left: 0,
    });
  });
});
