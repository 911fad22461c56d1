import { describe, expect, it } from 'vitest';
import { probeLive } from '#shared/exchange/venues/auto';
import type { Clock } from '#shared/platform/ports';

type Behaviour = 'answers' | 'hangs' | 'fails' | 'lies';

const times: Readonly<Record<string, unknown>> = {
  'api.binance.com': { serverTime: 1_700_000_000_000 },
  'api.kraken.com': { error: [], result: { unixtime: 1_700_000_000 } },
  'api.coinbase.com': { data: { epoch: 1_700_000_000 } },
};

/** The three candidates, each behaving as told, and a clock whose time is over once all were asked and could answer. */
const world = (binance: Behaviour, kraken: Behaviour, coinbase: Behaviour) => {
  const behaviours: Readonly<Record<string, Behaviour>> = {
    'api.binance.com': binance,
    'api.kraken.com': kraken,
    'api.coinbase.com': coinbase,
  };
  const asked = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { hostname } = new URL(String(input));
    if (init?.signal) signals.push(init.signal);
    // The answers take no input or output, so they are all in before the next timer.
    if (signals.length === 3) setTimeout(asked.resolve, 20);
    if (behaviours[hostname] === 'answers') return Response.json(times[hostname]);
    if (behaviours[hostname] === 'lies') return new Response('<html>Please log in to this network</html>');
    if (behaviours[hostname] === 'fails') throw new TypeError('fetch failed', { cause: new Error('ENOTFOUND') });
    return new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  };
  const clock: Clock = {
    now: () => 1_700_000_000_000,
    sleep: (ms) => (ms === 3000 ? asked.promise : new Promise(() => undefined)),
  };
  return { network: { fetch }, clock, signals };
};

describe('the choice of a live venue', () => {
  it('takes the preferred one when all answer', async () => {
    expect(await probeLive(world('answers', 'answers', 'answers'))).toEqual({ id: 'binance' });
  });

  it('takes the next one when the preferred one fails', async () => {
    expect(await probeLive(world('fails', 'answers', 'answers'))).toEqual({ id: 'kraken' });
  });

  it('takes one that answers when the preferred ones hang', async () => {
    expect(await probeLive(world('hangs', 'hangs', 'answers'))).toEqual({ id: 'coinbase' });
  });

  it('says why there is none', async () => {
    expect(await probeLive(world('fails', 'hangs', 'lies'))).toEqual({
      id: undefined,
      reason:
        'binance could not be reached; kraken did not answer in time; coinbase gave an answer that could not be understood',
    });
  });

  it('leaves no request behind', async () => {
    const { signals, ...options } = world('hangs', 'hangs', 'answers');
    await probeLive(options);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, true]);
  });

  it('does not throw over a venue that does not exist', async () => {
    const probe = await probeLive({ ...world('answers', 'answers', 'answers'), ids: ['nowhere', 'kraken'] });
    expect(probe).toEqual({ id: 'kraken' });
  });
});
