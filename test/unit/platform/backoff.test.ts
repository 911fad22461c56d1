import { describe, expect, it } from 'vitest';
import { backoffMs, exponentialMs } from '#shared/platform/backoff';

const backoff = { firstMs: 100, longestMs: 1500 };
const drawing = (number: number) => ({ number: () => number, bytes: (length: number) => new Uint8Array(length) });

describe('the longest wait', () => {
  it('doubles with every failure up to its limit', () => {
    expect([1, 2, 3, 4, 5, 6].map((failures) => exponentialMs(failures, backoff))).toEqual([
      100, 200, 400, 800, 1500, 1500,
    ]);
  });

  it('stays at its limit after any number of failures', () => {
    expect(exponentialMs(1_000_000, backoff)).toBe(1500);
  });
});

describe('a wait', () => {
  it.each([
    [0, 0],
    [0.5, 200],
    [0.999, 399.6],
  ])('is spread over the whole range (draw %d)', (draw, expected) => {
    expect(backoffMs(3, backoff, drawing(draw))).toBeCloseTo(expected);
  });
});
