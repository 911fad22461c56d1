import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey, type CredentialsPlace } from '#shared/accounts/stored';
import { CredentialVault } from '#shared/accounts/vault';
import { Credentials } from '#shared/exchange/credentials';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import { testKey } from '../../support/account-venues.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = 'ada' as UserId;
const keyNumber = (number: number) => new Credentials({ ...testKey, apiKey: `key-${number}` });

let given: TestPlatform;
let vault: CredentialVault;

const begin = (accountsPerSecret = 50) => {
  given = testPlatform({ accounts: { perSecret: accountsPerSecret } });
  vault = new CredentialVault(given.platform);
};
beforeEach(() => begin());

/** Stores a key, and an account that names it. */
const stored = async (number: number): Promise<CredentialsPlace> => {
  const accountId = `account-${number}`;
  const place = await given.awake(vault.put({ userId: ada, accountId }, keyNumber(number)));
  await given.store.put({ ...accountKey(ada, accountId), kind: 'account', credentials: place });
  return place;
};
const found = async (place: CredentialsPlace) => (await vault.get(place))?.reveal().apiKey;
const packText = async (pack: number) => (await given.platform.secrets.get(`exchange-credentials/${pack}`)) ?? '';

describe('the vault', () => {
  it('gives back what was put', async () => {
    expect((await vault.get(await stored(1)))?.reveal()).toEqual({ ...testKey, apiKey: 'key-1' });
  });

  it('forgets what was removed and keeps the others of the same secret', async () => {
    const [one, other] = [await stored(1), await stored(2)];
    await given.awake(vault.remove(one));
    expect([await found(one), await found(other)]).toEqual([undefined, 'key-2']);
    expect(await packText(one.pack)).not.toContain('key-1');
  });

  it('removes twice without complaint', async () => {
    const place = await stored(1);
    await given.awake(vault.remove(place));
    await given.awake(vault.remove(place));
  });

  it('packs as many accounts into a secret as the setting says', async () => {
    begin(3);
    const places = [];
    for (let number = 0; number < 7; number += 1) places.push(await stored(number));
    const sizes = Map.groupBy(places, ({ pack }) => pack);
    expect([...sizes.values()].map((entries) => entries.length).sort()).toEqual([1, 3, 3]);
  });

  it('gives each account a secret of its own where the setting is 1', async () => {
    begin(1);
    const places = [await stored(1), await stored(2)];
    expect(new Set(places.map(({ pack }) => pack)).size).toBe(2);
  });

  it('uses the room that a removed key left', async () => {
    begin(1);
    const { pack } = await stored(1);
    await given.awake(vault.remove({ pack, credentialsId: (await stored(2)).credentialsId }));
    const [first] = await keysOf(pack);
    await given.awake(vault.remove({ pack, credentialsId: first ?? '' }));
    expect((await stored(3)).pack).toBe(pack);
  });

  it('keeps every key of many that are stored at once', async () => {
    const places = await given.awake(
      Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          vault.put({ userId: ada, accountId: `a${number}` }, keyNumber(number)),
        ),
      ),
    );
    expect(await Promise.all(places.map(found))).toEqual(places.map((_, number) => `key-${number}`));
  });

  it('fills a secret no further than it holds', async () => {
    const long = new Credentials({ apiKey: 'k', secret: 's'.repeat(4096) });
    const places = [];
    for (let number = 0; number < 30; number += 1) {
      places.push(await given.awake(vault.put({ userId: ada, accountId: `a${number}` }, long)));
    }
    const packs = new Set(places.map(({ pack }) => pack));
    for (const pack of packs) expect((await packText(pack)).length).toBeLessThanOrEqual(65_536);
    expect(packs.size).toBe(3);
  });
});

const keysOf = async (pack: number) => Object.keys(JSON.parse((await packText(pack)) || '{}'));

describe('a writer that is cut short', () => {
  /** Every write of the table and the secrets, before and after it. */
  const places = [0, 1, 2, 3, 4].flatMap((write) => [
    { write, when: 'before' as const },
    { write, when: 'after' as const },
  ]);

  it.each(places)('$when write $write of the table loses no key that counts', async ({ write, when }) => {
    const kept = await stored(1);
    let writes = 0;
    given.table[when] = (call) => {
      if (call.writes && writes++ === write) throw new Unavailable('killed');
    };
    await given.awake(vault.put({ userId: ada, accountId: 'account-2' }, keyNumber(2))).catch(() => {});
    given.table[when] = () => {};
    expect(await found(kept)).toBe('key-1');
    await given.clock.advance(61_000);
    expect(await found(await stored(3))).toBe('key-3');
    expect(await found(kept)).toBe('key-1');
  });

  it('leaves credentials without an account, which the next writer removes after ten minutes', async () => {
    const kept = await stored(1);
    const orphan = await given.awake(vault.put({ userId: ada, accountId: 'never-stored' }, keyNumber(2)));
    await given.clock.advance(11 * 60_000);
    await stored(3);
    expect([await found(kept), await found(orphan)]).toEqual(['key-1', undefined]);
  });

  it('keeps credentials whose account may yet be stored', async () => {
    const recent = await given.awake(vault.put({ userId: ada, accountId: 'stored-soon' }, keyNumber(2)));
    await stored(3);
    expect(await found(recent)).toBe('key-2');
  });

  it('that was held up past its lease overwrites nothing', async () => {
    const kept = await stored(1);
    const { secrets, clock } = given.platform;
    let isSlow = true;
    const late = new CredentialVault({
      ...given.platform,
      secrets: {
        get: async (name) => {
          const value = await secrets.get(name);
          if (isSlow) await clock.sleep(61_000);
          return value;
        },
        put: (name, value) => secrets.put(name, value),
        create: (name, value) => secrets.create(name, value),
        delete: (name) => secrets.delete(name),
      },
    });
    const removal = late.remove(kept).catch((error: unknown) => error);
    await given.clock.advance(60_500);
    const second = await stored(2);
    await given.clock.advance(1_000);
    isSlow = false;
    expect(await removal).toBeInstanceOf(Unavailable);
    expect(await found(second)).toBe('key-2');
  });

  it('holds up others no longer than its lease', async () => {
    const { pack } = await stored(1);
    given.table.before = (call) => {
      // The lease can't be given back either.
      if (call.name === 'update' && call.keys.some(({ pk }) => pk.startsWith('VAULT#PACK'))) leased += 1;
      if (leased > 1) throw new Unavailable('killed');
    };
    let leased = 0;
    await given.awake(vault.remove({ pack, credentialsId: 'x' })).catch(() => {});
    given.table.before = () => {};
    await given.clock.advance(61_000);
    await given.awake(vault.remove({ pack, credentialsId: 'x' }));
  });
});

describe('credentials', () => {
  it('can not be shown', () => {
    const credentials = new Credentials({ ...testKey, password: 'PASSWORD-OF-TEST' });
    const shown = [
      JSON.stringify({ credentials }),
      inspect(credentials),
      String(credentials),
      JSON.stringify(Object.entries(credentials)),
    ];
    for (const part of [...Object.values(testKey), 'PASSWORD-OF-TEST']) expect(shown.join()).not.toContain(part);
  });
});
