import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';

const parts = { apiKey: 'api-key-of-ada', secret: 'secret-of-ada', password: 'password-of-ada' };
const credentials = new Credentials(parts);

describe('the key of an account', () => {
  it('is shown by no log, JSON or text', () => {
    expect([JSON.stringify({ credentials }), inspect(credentials, { depth: 9 }), `${credentials}`]).toEqual([
      '{"credentials":"[secret]"}',
      '[secret]',
      '[secret]',
    ]);
  });
});

describe('a client opened with a key', () => {
  const quoting = () => {
    const cause = new Error(`signature of ${parts.secret} refused`);
    return new VenueError('binance', 'authentication', `The key ${parts.apiKey} is unknown`, {
      cause,
      retryAfterMs: 7,
    });
  };
  const client = credentials.guarded({
    id: 'binance',
    count: 3,
    balances: async (asset: string) => [asset],
    rejects: async () => {
      throw quoting();
    },
    throws: () => {
      throw quoting();
    },
    self() {
      return this.count;
    },
  });

  it('answers as it would without', async () => {
    expect([client.id, await client.balances('BTC'), client.self(), Object.keys(client).length]).toEqual([
      ...['binance', ['BTC'], 3, 6],
    ]);
  });

  it.each([
    ['a rejection', () => client.rejects()],
    ['an exception', async () => client.throws()],
    ['a rejection of a copy', () => ({ ...client }).rejects()],
  ])('does not quote the key in %s', async (_how, call) => {
    const error = await call().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ failure: 'authentication', retryAfterMs: 7, message: 'The key … is unknown' });
    const shown = inspect(error, { depth: 9, showHidden: true });
    expect(shown).toContain('signature of … refused');
    for (const part of Object.values(parts)) expect(shown).not.toContain(part);
  });
});
