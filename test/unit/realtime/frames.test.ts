import { describe, expect, it } from 'vitest';
import { FRAME_BYTES_MAX, fitting, inFrames } from '#shared/connections/frames';
import type { ServerMessage } from '#shared/connections/message';

const message = (seq: number, text: string): ServerMessage => ({ type: 'update', channel: 'alerts', seq, data: text });

describe('frames', () => {
  it('carry one message, or an array of them', () => {
    const [one, two] = [message(1, 'a'), message(2, 'b')];
    expect([...inFrames([one])]).toEqual([{ text: JSON.stringify(one), size: 1 }]);
    expect([...inFrames([one, two])]).toEqual([{ text: JSON.stringify([one, two]), size: 2 }]);
  });

  it.each([
    ['Latin letters', 'x'.repeat(450)],
    ['letters of three bytes', '漢'.repeat(300)],
    ['letters of four bytes', '🚀'.repeat(200)],
  ])('of %s stay within the limit of bytes, and nothing is lost or out of order', (_, text) => {
    const messages = Array.from({ length: 200 }, (_, index) => message(index + 1, text));
    const frames = [...inFrames(messages)];
    expect(frames.length).toBeGreaterThan(2);
    for (const frame of frames) expect(Buffer.byteLength(frame.text)).toBeLessThanOrEqual(FRAME_BYTES_MAX);
    expect(frames.flatMap(({ text: frame }) => JSON.parse(frame))).toEqual(messages);
    expect(frames.reduce((sum, { size }) => sum + size, 0)).toBe(messages.length);
  });

  it('fill up: no two that follow each other would fit in one', () => {
    const messages = Array.from({ length: 300 }, (_, index) => message(index, 'x'.repeat((index * 37) % 900)));
    const sizes = [...inFrames(messages)].map(({ text }) => Buffer.byteLength(text));
    for (const [index, size] of sizes.slice(1).entries()) {
      expect(size + (sizes[index] ?? 0)).toBeGreaterThan(FRAME_BYTES_MAX);
    }
  });
});

describe('values that fit', () => {
  it.each([
    [100, ['aaaa', 'bbbb', 'cccc']],
    [2 + 7 + 7, ['aaaa', 'bbbb']],
    [2 + 7 + 6, ['aaaa']],
    [5, []],
  ])('in %i bytes are the first ones', (bytes, kept) => {
    expect(fitting(['aaaa', 'bbbb', 'cccc'], bytes)).toEqual(kept);
  });
});
