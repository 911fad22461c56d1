import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase, openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { newFolder } from './folder.ts';

const start = Date.UTC(2026, 0, 1);

const open = (database = openMemoryDatabase()) => {
  onTestFinished(() => database.close());
  const clock = new VirtualClock(start);
  const ids = uuidV7Ids(clock, systemRandom);
  const named = (name: string) => new SqliteQueue({ database, name, clock, ids, maxReceives: 2 });
  return { clock, named, queue: named('deliveries'), dead: named('deliveries-dead') };
};

describe('SqliteQueue', () => {
  it('ends a receipt when the message is received again', async () => {
    const { queue, clock } = open();
    await queue.send([{ body: 'm' }]);
    const [first] = await queue.receive(1, 10);
    await clock.advance(10_000);
    await queue.receive(1, 10);
    await queue.remove(first?.receipt ?? '');
    await queue.release(first?.receipt ?? '', 0);
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 0, inFlight: 1 });
  });

  it('has what was in hand at once again for a process that begins, as often received as it was', async () => {
    const { queue, named } = open();
    await queue.send([{ body: 'm' }]);
    await queue.receive(1, 60);
    const next = named('deliveries');
    await next.reclaim();
    expect(await next.receive(1, 60)).toMatchObject([{ body: 'm', receiveCount: 2 }]);
  });

  it.each(['', 'no receipt', 'a/b', '/1'])('does nothing for %j, which is no receipt', async (receipt) => {
    const { queue } = open();
    await queue.send([{ body: 'm' }]);
    await queue.remove(receipt);
    await queue.release(receipt, 60);
    expect(await queue.receive(1, 10)).toHaveLength(1);
  });

  it('receives the longest visible first, and past those that become dead letters', async () => {
    const { queue, dead, clock } = open();
    await queue.send([{ body: 'poison' }]);
    for (const _ of [1, 2]) await queue.receive(1, 0);
    await clock.advance(1);
    await queue.send([{ body: 'good' }]);
    expect((await queue.receive(1, 10)).map(({ body }) => body)).toEqual(['good']);
    expect(await dead.receive(1, 10)).toMatchObject([{ body: 'poison', receiveCount: 1, sentAt: start }]);
  });

  it('receives a message only once in a call, also without a visibility time', async () => {
    const { queue } = open();
    await queue.send([{ body: 'm' }]);
    expect(await queue.receive(10, 0)).toHaveLength(1);
  });

  it('keeps queues of one database apart', async () => {
    const { queue, named } = open();
    await queue.send([{ body: 'm' }]);
    expect(await named('other').receive(1, 10)).toEqual([]);
  });

  it('knows when the next message becomes visible', async () => {
    const { queue } = open();
    expect(queue.nextVisibleAt()).toBeUndefined();
    await queue.send([{ body: 'later', delaySeconds: 60 }]);
    expect(queue.nextVisibleAt()).toBe(start + 60_000);
    await queue.send([{ body: 'now' }]);
    expect(queue.nextVisibleAt()).toBe(start);
    await queue.receive(1, 30);
    expect(queue.nextVisibleAt()).toBe(start + 30_000);
  });

  it('tells listeners of messages sent, released and buried', async () => {
    const { queue, dead } = open();
    const heard: string[] = [];
    queue.onSend(() => heard.push('deliveries'));
    dead.onSend(() => heard.push('dead'));
    await queue.send([{ body: 'm' }]);
    const [message] = await queue.receive(1, 60);
    await queue.release(message?.receipt ?? '', 0);
    await queue.receive(1, 0);
    await queue.receive(1, 0);
    expect(heard).toEqual(['deliveries', 'deliveries', 'dead']);
  });

  it('sends all of several messages or none', async () => {
    const { queue } = open();
    await expect(queue.send([{ body: 'good' }, { body: '' }])).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(queue.send([{ body: 'good' }, { body: 'late', delaySeconds: 901 }])).rejects.toThrow(RangeError);
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 0, inFlight: 0 });
  });

  it('still has its messages after a restart', async () => {
    const folder = newFolder();
    const database = openDatabase(folder);
    await open(database).queue.send([{ body: 'm' }]);
    database.close();
    expect(await open(openDatabase(folder)).queue.receive(1, 10)).toMatchObject([{ body: 'm' }]);
  });
});
