import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtAccount } from '#shared/exchange/venues/ccxt/account';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { takesKeys } from '#shared/exchange/venues/ccxt/credentials';
import { exchangeIds, importExchange } from '#shared/exchange/venues/ccxt/exchanges';
import { knownProfile } from '#shared/exchange/venues/ccxt/known-profile';
import { profileRow, readProfile } from '#shared/exchange/venues/ccxt/profile';
import { ccxtProfiles } from '#shared/exchange/venues/ccxt/profiles';
import { systemClock as clock } from '#shared/platform/system';

const apiKey = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
// Base64, as several venues want it.
const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0';
const credentials = new Credentials({ apiKey, secret, password: 'password-of-the-key' });
const originOverride = 'http://127.0.0.1:9001';

/** The exchanges of ccxt that claim to tell balances to whoever has a key and a secret. */
const claiming: string[] = [];
const others: string[] = [];
for (const id of exchangeIds()) {
  const exchange = new (await importExchange(id))({});
  if (!exchange.has.fetchBalance) continue;
  (takesKeys(exchange) ? claiming : others).push(id);
}

/** A network on which every request is refused in the same way, and which remembers where they went. */
const refusing = (status: number, body: string) => {
  const origins = new Set<string>();
  const fetch: typeof globalThis.fetch = async (input) => {
    origins.add(new URL(String(input)).origin);
    return new Response(body, { status, headers: { 'content-type': 'application/json' } });
  };
  return { network: { fetch }, origins };
};

it('is described in profiles.ts as ccxt has it; `npm run profiles` brings that up to date', async () => {
  const profiles = await Promise.all(exchangeIds().map(readProfile));
  const rows = profiles.flatMap((profile) => (profile === undefined ? [] : [[profile.id, profileRow(profile)]]));
  expect(ccxtProfiles).toEqual(Object.fromEntries(rows));
  for (const profile of profiles) if (profile !== undefined) expect(knownProfile(profile.id)).toEqual(profile);
});

it('finds most exchanges of ccxt', () => {
  expect(claiming.length).toBeGreaterThan(80);
  expect(claiming).toEqual(expect.arrayContaining(['binance', 'bybit', 'kraken', 'coinbase', 'okx', 'kucoin']));
});

describe.each(claiming)('an account at %s', (id) => {
  const open = (network = refusing(500, '').network) =>
    createCcxtAccount({ id, credentials, network, clock, originOverride });

  it('is opened without a request', async () => {
    const { network, origins } = refusing(500, '');
    const account = await open(network);
    expect([account.id, typeof account.needsSymbols]).toEqual([id, 'boolean']);
    expect([...origins]).toEqual([]);
  });

  it('says what it offers and what it needs', async () => {
    const profile = await readProfile(id);
    expect(profile).toMatchObject({ id, supports: { balances: true } });
    expect(profile?.credentials).toContain('apiKey');
  });

  it('sends a signed request to the replaced origin, and tells a failure without the key', async () => {
    const { network, origins } = refusing(503, '<html>Down</html>');
    const { exchange, run } = await createCcxtClient({ id, credentials, network, clock, originOverride });
    exchange.enableRateLimit = false;
    exchange.setMarkets([]);
    const error: unknown = await run(() => exchange.fetchBalance()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'VenueError', venue: id });
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    for (const hidden of [apiKey, secret, 'password-of-the-key', '127.0.0.1']) expect(shown).not.toContain(hidden);
    expect([...origins].filter((origin) => origin !== originOverride)).toEqual([]);
  });
});

describe.each(others)('an account at %s', (id) => {
  it('is refused, because it needs more than a key and a secret', async () => {
    const account = createCcxtAccount({ id, credentials, ...refusing(500, ''), clock });
    await expect(account).rejects.toMatchObject({ failure: 'not-supported' });
    expect(await readProfile(id)).toBeUndefined();
  });
});
