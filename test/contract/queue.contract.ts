import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MESSAGE_BYTES_MAX, type Queue, type ReceivedMessage } from '#shared/platform/ports';

export interface OpenQueue {
  /** Empty, and nobody else receives from it. */
  readonly queue: Queue;
  /** Where its messages go after `maxReceives`. */
  readonly deadLetters: Queue;
  readonly maxReceives: number;
  /** Lets time pass, in the queue's eyes. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Longer than any test takes. */
const visibilitySeconds = 60;
/** Short enough to wait for where time can only pass by itself, with a second of slack on both sides. */
const briefSeconds = 4;

/** What every adapter of the Queue port promises. */
export function queueContract(name: string, open: () => Promise<OpenQueue>): void {
  describe(`queue: ${name}`, () => {
    let opened: OpenQueue;
    let queue: Queue;
    beforeEach(async () => {
      opened = await open();
      queue = opened.queue;
    });
    afterEach(() => opened.close());

    /** A receive may give fewer messages than there are: asks until there are that many. */
    const receive = async (count: number, from = queue, seconds = visibilitySeconds): Promise<ReceivedMessage[]> => {
      const received: ReceivedMessage[] = [];
      await expect
        .poll(async () => {
          received.push(...(await from.receive(Math.min(10, count), seconds)));
          return received.length;
        })
        .toBeGreaterThanOrEqual(count);
      return received;
    };
    const receiveOne = async (seconds = visibilitySeconds): Promise<ReceivedMessage> => {
      const [message] = await receive(1, queue, seconds);
      if (message === undefined) throw new Error('Nothing was received');
      return message;
    };
    const nothingVisible = async (from: Queue = queue): Promise<void> => {
      expect(await from.receive(10, visibilitySeconds)).toEqual([]);
    };

    it('delivers every message once while nothing fails', async () => {
      const bodies = Array.from({ length: 25 }, (_, position) => `message ${position}`);
      await queue.send(bodies.map((body) => ({ body })));
      const received = await receive(25);
      expect(received.map(({ body }) => body).sort()).toEqual(bodies.sort());
      expect(new Set(received.map(({ id }) => id)).size).toBe(25);
      await nothingVisible();
    });

    it('gives no more messages at once than asked for', async () => {
      await queue.send(Array.from({ length: 5 }, () => ({ body: 'm' })));
      expect((await queue.receive(2, visibilitySeconds)).length).toBeLessThanOrEqual(2);
    });

    it('keeps bodies as they are', async () => {
      const body = '{"text":"Zürich 🚀 \\" <b>&amp;\\n"}';
      await queue.send([{ body }]);
      expect((await receiveOne()).body).toBe(body);
    });

    it('tells when a message was sent and how often it was received', async () => {
      await queue.send([{ body: 'm' }]);
      const first = await receiveOne(briefSeconds);
      await opened.advance((briefSeconds + 1) * 1000);
      const second = await receiveOne();
      expect([first.receiveCount, second.receiveCount]).toEqual([1, 2]);
      expect(second.sentAt).toBe(first.sentAt);
      expect(second.id).toBe(first.id);
    });

    it('hides a received message for the visibility time, then delivers it again', async () => {
      await queue.send([{ body: 'm' }]);
      await receiveOne(briefSeconds);
      await opened.advance((briefSeconds - 2) * 1000);
      await nothingVisible();
      await opened.advance(3000);
      expect((await receiveOne()).body).toBe('m');
    });

    it('never delivers a removed message again', async () => {
      await queue.send([{ body: 'm' }]);
      await queue.remove((await receiveOne(briefSeconds)).receipt);
      await opened.advance((briefSeconds + 1) * 1000);
      await nothingVisible();
    });

    it('removes a message twice without complaint', async () => {
      await queue.send([{ body: 'm' }]);
      const { receipt } = await receiveOne();
      await queue.remove(receipt);
      await queue.remove(receipt);
    });

    it('delivers a released message again after the time given', async () => {
      await queue.send([{ body: 'm' }]);
      await queue.release((await receiveOne()).receipt, briefSeconds);
      await opened.advance((briefSeconds - 2) * 1000);
      await nothingVisible();
      await opened.advance(3000);
      expect((await receiveOne()).receiveCount).toBe(2);
    });

    it('delivers a message that was released with 0 at once', async () => {
      await queue.send([{ body: 'm' }]);
      await queue.release((await receiveOne()).receipt, 0);
      expect((await receiveOne()).receiveCount).toBe(2);
    });

    it('extends the time of a message that is still worked on', async () => {
      await queue.send([{ body: 'm' }]);
      await queue.release((await receiveOne(briefSeconds)).receipt, visibilitySeconds);
      await opened.advance((briefSeconds + 1) * 1000);
      await nothingVisible();
    });

    it('holds a delayed message back', async () => {
      await queue.send([{ body: 'now' }, { body: 'later', delaySeconds: briefSeconds }]);
      expect((await receiveOne()).body).toBe('now');
      await nothingVisible();
      await opened.advance((briefSeconds + 1) * 1000);
      expect((await receiveOne()).body).toBe('later');
    });

    it('moves a message that was received too often to the dead letters', async () => {
      await queue.send([{ body: 'poison' }]);
      for (let count = 1; count <= opened.maxReceives; count++) {
        const { receipt, receiveCount } = await receiveOne();
        expect(receiveCount).toBe(count);
        await queue.release(receipt, 0);
      }
      await nothingVisible();
      const [dead] = await receive(1, opened.deadLetters);
      expect(dead?.body).toBe('poison');
      await nothingVisible();
    });

    it('keeps dead letters however often they are looked at', async () => {
      await opened.deadLetters.send([{ body: 'dead' }]);
      for (let count = 1; count <= opened.maxReceives + 2; count++) {
        const [dead] = await receive(1, opened.deadLetters);
        await opened.deadLetters.release(dead?.receipt ?? '', 0);
      }
      expect((await receive(1, opened.deadLetters))[0]?.body).toBe('dead');
    });

    it('counts what waits, what was sent for later and what is in flight', async () => {
      await queue.send([{ body: 'a' }, { body: 'b' }, { body: 'c' }, { body: 'later', delaySeconds: 900 }]);
      await expect.poll(() => queue.depth()).toEqual({ waiting: 3, delayed: 1, inFlight: 0 });
      const { receipt } = await receiveOne();
      await expect.poll(() => queue.depth()).toEqual({ waiting: 2, delayed: 1, inFlight: 1 });
      await queue.remove(receipt);
      await expect.poll(() => queue.depth()).toEqual({ waiting: 2, delayed: 1, inFlight: 0 });
    });

    it('takes bodies up to its limit and refuses larger ones', async () => {
      const body = 'é'.repeat(MESSAGE_BYTES_MAX / 2);
      await expect(queue.send([{ body: `${body}x` }])).rejects.toThrow();
      await queue.send([{ body }]);
      expect((await receiveOne()).body).toBe(body);
    });

    it('takes several large messages at once', async () => {
      await queue.send(Array.from({ length: 4 }, () => ({ body: 'x'.repeat(MESSAGE_BYTES_MAX) })));
      expect(await receive(4)).toHaveLength(4);
    });

    it.each([0, 11])('refuses to receive %d messages', async (max) => {
      await expect(queue.receive(max, visibilitySeconds)).rejects.toThrow();
    });

    it('sends nothing without complaint', async () => {
      await queue.send([]);
      await nothingVisible();
    });
  });
}
