import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type StreamConsumer, StreamPump } from '#local/stream-pump';
import { localLogger } from '#local/telemetry';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../../support/virtual-clock.ts';

const hourMs = 3_600_000;

/** A table with a pump whose handler sees the `sk` of the new items. */
const given = (
  handle: (items: string[], event: DynamoDBStreamEvent) => unknown,
  consumer: Partial<StreamConsumer> = {},
) => {
  const clock = new VirtualClock();
  const database = openMemoryDatabase();
  const table = new SqliteTable(database, clock);
  const changes = new ChangeLog(database, ['watcher']);
  const ids = uuidV7Ids(clock, systemRandom);
  const deadLetters = new SqliteQueue({ database, name: 'alerts-dead', clock, ids });
  const calls: string[][] = [];
  const pump = new StreamPump(
    { name: 'watcher', kinds: ['ticker'], batchSize: 8, maxAttempts: 3, ...consumer },
    {
      changes,
      deadLetters,
      clock,
      random: systemRandom,
      logger: localLogger('SILENT'),
      invoke: async (event) => {
        const { Records } = event as DynamoDBStreamEvent;
        const items = Records.map(({ dynamodb }) => dynamodb?.Keys?.sk?.S ?? '');
        calls.push(items);
        return await handle(items, event as DynamoDBStreamEvent);
      },
    },
  );
  const put = (...names: string[]) =>
    table.writeMany(names.map((sk) => ({ put: { pk: 'VENUE', sk, kind: sk.startsWith('note') ? 'note' : 'ticker' } })));
  return { clock, table, changes, deadLetters, pump, put, calls };
};

const failing = (event: DynamoDBStreamEvent, name: string) => ({
  batchItemFailures: event.Records.filter(({ dynamodb }) => dynamodb?.Keys?.sk?.S === name).map(({ dynamodb }) => ({
    itemIdentifier: dynamodb?.SequenceNumber ?? '',
  })),
});

describe('StreamPump', () => {
  it('hands over changes in their order, as they are made', async () => {
    const { clock, pump, put, calls } = given(() => undefined);
    pump.start();
    await put('a', 'b');
    await clock.advance(0);
    await put('c');
    await clock.advance(0);
    expect(calls).toEqual([['a', 'b'], ['c']]);
  });

  it('tells a change as a DynamoDB stream does, with both images', async () => {
    const events: DynamoDBStreamEvent[] = [];
    const { clock, pump, table } = given((_, event) => events.push(event) && undefined);
    pump.start();
    await table.put({ pk: 'VENUE', sk: 'a', kind: 'ticker', last: '1' });
    await clock.advance(0);
    await table.put({ pk: 'VENUE', sk: 'a', kind: 'ticker', last: '2' });
    await clock.advance(0);
    expect(events[1]?.Records).toMatchObject([
      {
        eventName: 'MODIFY',
        eventSource: 'aws:dynamodb',
        dynamodb: {
          ApproximateCreationDateTime: clock.now() / 1000,
          Keys: { pk: { S: 'VENUE' }, sk: { S: 'a' } },
          OldImage: { last: { S: '1' } },
          NewImage: { last: { S: '2' } },
        },
      },
    ]);
  });

  it('passes changes of other kinds without a call', async () => {
    const { clock, pump, put, calls, changes } = given(() => undefined);
    pump.start();
    await put('note-1', 'a', 'note-2');
    await clock.advance(0);
    expect(calls).toEqual([['a']]);
    expect(changes.lag('watcher').count).toBe(0);
  });

  it('tries again from the first failed record on, and not before it', async () => {
    let failures = 2;
    const { clock, pump, put, calls } = given((_, event) => (failures-- > 0 ? failing(event, 'b') : undefined));
    pump.start();
    await put('a', 'b', 'c');
    await clock.advance(hourMs);
    expect(calls).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('sends what failed too often to the dead letters and goes on behind it', async () => {
    const { clock, pump, put, calls, deadLetters } = given((_, event) => failing(event, 'b'));
    pump.start();
    await put('a', 'b', 'c');
    await clock.advance(hourMs);
    const [letter] = await deadLetters.receive(10, 1);
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ consumer: 'watcher', change: { key: { sk: 'b' } } });
    expect(calls.at(-1)).toEqual(['c']);
  });

  it('finds the one record that makes the handler throw by halving the batch', async () => {
    const handled: string[] = [];
    const { clock, pump, put, deadLetters } = given((items) => {
      if (items.includes('f')) throw new Error('bad record');
      handled.push(...items);
    });
    pump.start();
    await put('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    await clock.advance(hourMs);
    expect(handled).toEqual(['a', 'b', 'c', 'd', 'e', 'g', 'h']);
    expect(await deadLetters.depth()).toEqual({ waiting: 1, delayed: 0, inFlight: 0 });
  });

  it.each([['nonsense'], [{ batchItemFailures: 'x' }], [{ batchItemFailures: [{ itemIdentifier: 'unknown' }] }]])(
    'takes an answer that it does not understand as a failure of the whole batch: %j',
    async (answer) => {
      const { clock, pump, put, changes } = given(() => answer);
      pump.start();
      await put('a', 'b');
      await clock.advance(0);
      expect(changes.lag('watcher').count).toBe(2);
    },
  );

  it('goes on after a restart where it was stopped, with the batch in hand finished', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { clock, pump, put, changes } = given(() => released, { batchSize: 2 });
    pump.start();
    await put('a', 'b', 'c');
    await clock.advance(0);
    const stopped = pump.stop();
    release();
    await stopped;
    expect((await changes.read('watcher', 10)).map(({ key }) => key.sk)).toEqual(['c']);
  });
});
