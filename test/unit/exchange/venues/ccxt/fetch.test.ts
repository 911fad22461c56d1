import { describe, expect, it } from 'vitest';
import { venueFetch } from '#shared/exchange/venues/ccxt/fetch';

/** The fetch of a venue that answers as given, on a clock that stands where `at` says. */
const venue = (answer: () => Response, at = { now: Date.parse('2026-01-01T00:00:00Z') }) => ({
  ...venueFetch('binance', { fetch: async () => answer() }, { now: () => at.now }, undefined),
  at,
});
const refusal = (retryAfter: string) => () =>
  new Response('{}', { status: 429, headers: { 'retry-after': retryAfter } });

describe("a venue's fetch", () => {
  it.each([
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', undefined],
    ['soon', undefined],
  ])('reads Retry-After: %s as %s ms', async (header, ms) => {
    const { fetch, retryAfterMs } = venue(refusal(header));
    await fetch('https://api.binance.com/', {});
    expect(retryAfterMs()).toBe(ms);
  });

  it('forgets the time to come back once it is over', async () => {
    const { fetch, retryAfterMs, at } = venue(refusal('7'));
    await fetch('https://api.binance.com/', {});
    at.now += 7000;
    expect(retryAfterMs()).toBeUndefined();
  });

  it('gives up on an answer that does not end', async () => {
    const megabyte = new Uint8Array(1024 * 1024);
    const { fetch } = venue(() => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(megabyte) })));
    await expect(fetch('https://api.binance.com/', {})).rejects.toMatchObject({ failure: 'retryable' });
  });

  it('hands on an answer without a body', async () => {
    const { fetch } = venue(() => new Response(null, { status: 204 }));
    expect((await fetch('https://api.binance.com/', {})).status).toBe(204);
  });
});
