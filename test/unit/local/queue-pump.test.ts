import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type QueueConsumer, QueuePump } from '#local/queue-pump';
import { localLogger } from '#local/telemetry';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../../support/virtual-clock.ts';

const given = (
  handle: (bodies: string[], event: SQSEvent, queue: SqliteQueue) => unknown,
  consumer: Partial<QueueConsumer> = {},
) => {
  const clock = new VirtualClock();
  const database = openMemoryDatabase();
  const ids = uuidV7Ids(clock, systemRandom);
  const queue = new SqliteQueue({ database, name: 'deliveries', clock, ids, maxReceives: 3 });
  const dead = new SqliteQueue({ database, name: 'deliveries-dead', clock, ids });
  const calls: string[][] = [];
  const pump = new QueuePump(
    { queue: 'deliveries', batchSize: 2, maxConcurrency: 1, timeoutSeconds: 5, ...consumer },
    {
      queue,
      clock,
      random: systemRandom,
      logger: localLogger('SILENT'),
      invoke: async (event) => {
        const { Records } = event as SQSEvent;
        const bodies = Records.map(({ body }) => body);
        calls.push(bodies);
        return await handle(bodies, event as SQSEvent, queue);
      },
    },
  );
  const send = (...bodies: string[]) => queue.send(bodies.map((body) => ({ body })));
  return { clock, queue, dead, pump, send, calls };
};

const allFailed = (event: SQSEvent) => ({
  batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

describe('QueuePump', () => {
  it('hands over messages as they are sent and ends those that were handled', async () => {
    const { clock, queue, pump, send, calls } = given(() => undefined);
    pump.start();
    await clock.advance(0);
    await send('a', 'b', 'c');
    await clock.advance(0);
    expect(calls).toEqual([['a', 'b'], ['c']]);
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 0, inFlight: 0 });
  });

  it('hands over a delayed message when its time comes', async () => {
    const { clock, queue, pump, calls } = given(() => undefined);
    pump.start();
    await queue.send([{ body: 'later', delaySeconds: 60 }]);
    await clock.advance(59_000);
    expect(calls).toEqual([]);
    await clock.advance(1_000);
    expect(calls).toEqual([['later']]);
  });

  it('ends the handled messages of a batch and brings back the failed ones', async () => {
    let failures = 1;
    const { clock, pump, send, calls } = given((bodies, event) =>
      failures-- > 0
        ? { batchItemFailures: [{ itemIdentifier: event.Records[bodies.indexOf('b')]?.messageId }] }
        : undefined,
    );
    pump.start();
    await send('a', 'b');
    await clock.advance(60_000);
    expect(calls).toEqual([['a', 'b'], ['b']]);
  });

  it('brings a message back as soon as its handler released it', async () => {
    const { clock, pump, send, calls } = given(async (_, event, queue) => {
      await queue.release(event.Records[0]?.receiptHandle ?? '', 2);
      return allFailed(event);
    });
    pump.start();
    await send('a');
    await clock.advance(2_000);
    expect(calls).toHaveLength(2);
  });

  it('leaves a message whose handler always throws to the dead letters', async () => {
    const { clock, dead, pump, send, calls } = given(() => {
      throw new Error('no');
    });
    pump.start();
    await send('a');
    await clock.advance(3_600_000);
    expect(calls).toHaveLength(3);
    expect((await dead.depth()).waiting).toBe(1);
  });

  it('handles no more batches at a time than it may', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { clock, pump, send, calls } = given(() => released, { batchSize: 1, maxConcurrency: 2 });
    pump.start();
    await send('a', 'b', 'c');
    await clock.advance(0);
    expect(calls).toHaveLength(2);
    release();
    await clock.advance(0);
    expect(calls).toHaveLength(3);
  });

  it('ends what is in hand before it stops', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { clock, queue, pump, send } = given(() => released);
    pump.start();
    await send('a');
    await clock.advance(0);
    const stopped = pump.stop();
    release();
    await stopped;
    expect(await queue.depth()).toEqual({ waiting: 0, delayed: 0, inFlight: 0 });
  });
});
