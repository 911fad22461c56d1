import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Push } from '#shared/platform/ports';

export interface PushClient {
  /** The connection's id, by which {@link Push} knows it. */
  readonly id: string;
  /** Every frame that arrived so far. */
  frames(): string[];
  /** The next frame that was not returned by `next` before. */
  next(): Promise<string>;
  close(): Promise<void>;
}

export interface OpenPush {
  readonly push: Push;
  connect(): Promise<PushClient>;
  close(): Promise<void>;
}

/** What every adapter of the Push port promises. */
export function pushContract(name: string, open: () => Promise<OpenPush>): void {
  describe(`push: ${name}`, () => {
    let opened: OpenPush;
    let push: Push;
    beforeAll(async () => {
      opened = await open();
      push = opened.push;
    });
    afterAll(() => opened.close());

    it('sends a frame to its connection', async () => {
      const client = await opened.connect();
      expect(await push.send(client.id, '{"type":"pong"}')).toBe('sent');
      expect(await client.next()).toBe('{"type":"pong"}');
    });

    it('keeps the order of frames', async () => {
      const client = await opened.connect();
      const frames = Array.from({ length: 50 }, (_, seq) => `{"seq":${seq}}`);
      for (const frame of frames) await push.send(client.id, frame);
      const received: string[] = [];
      while (received.length < frames.length) received.push(await client.next());
      expect(received).toEqual(frames);
    });

    it('keeps text of any script', async () => {
      const client = await opened.connect();
      await push.send(client.id, 'Zürich 🚀 "\\n"');
      expect(await client.next()).toBe('Zürich 🚀 "\\n"');
    });

    it('sends frames of 32 KB', async () => {
      const client = await opened.connect();
      const frame = 'x'.repeat(32 * 1024);
      expect(await push.send(client.id, frame)).toBe('sent');
      expect(await client.next()).toBe(frame);
    });

    it('sends to no other connection', async () => {
      const [client, other] = [await opened.connect(), await opened.connect()];
      expect(other.id).not.toBe(client.id);
      await push.send(client.id, 'for one');
      await push.send(other.id, 'for the other');
      expect(await other.next()).toBe('for the other');
      expect(await client.next()).toBe('for one');
      expect(other.frames()).toEqual(['for the other']);
    });

    it('tells that a connection never existed', async () => {
      // API Gateway's ids look like this one.
      expect(await push.send(`${randomUUID().slice(0, 15)}=`, 'frame')).toBe('gone');
    });

    it('tells that the client has gone', async () => {
      const client = await opened.connect();
      await client.close();
      await expect.poll(() => push.send(client.id, 'frame')).toBe('gone');
    });

    it('closes a connection', async () => {
      const client = await opened.connect();
      await push.close(client.id);
      await expect.poll(() => push.send(client.id, 'frame')).toBe('gone');
    });

    it('leaves the others open when it closes one', async () => {
      const [client, other] = [await opened.connect(), await opened.connect()];
      await push.close(client.id);
      expect(await push.send(other.id, 'still here')).toBe('sent');
      expect(await other.next()).toBe('still here');
    });

    it('closes what is gone without complaint', async () => {
      const client = await opened.connect();
      await client.close();
      await push.close(client.id);
      await push.close(client.id);
    });
  });
}
