import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthorizer } from '#functions/api/authorizer';
import { openSigningKey, publicKeys, type SigningKey } from '#shared/auth/keys';
import { SCOPES_OF_ROLE } from '#shared/auth/scopes';
import { accessTokenSeconds, issueAccessToken, TokenVerifier } from '#shared/auth/tokens';
import { Unavailable } from '#shared/platform/errors';
import type { Item, Key, Table } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;

/** Counts the reads of a table, and fails them when told to. */
const countedReads = (table: Table) => {
  const reads = { count: 0, fails: false };
  const get: Table['get'] = async <T extends Item>(key: Key, options?: { consistent?: boolean }) => {
    reads.count += 1;
    if (reads.fails) throw new Unavailable('The table does not answer.');
    return await table.get<T>(key, options);
  };
  return { reads, table: tableWith(table, { get }) };
};

let system: TestPlatform;
let reads: { count: number; fails: boolean };
let table: Table;
let verifier: TokenVerifier;
let signing: SigningKey;
beforeEach(async () => {
  system = testPlatform();
  const { secrets, random } = system.platform;
  signing = await openSigningKey(secrets, random, system.table);
  ({ reads, table } = countedReads(system.table));
  verifier = new TokenVerifier(table, system.clock);
});

const seconds = () => Math.floor(system.clock.now() / 1000);
const good = () => issueAccessToken(signing, system.clock, { userId: ada, role: 'trader' });

/** A token like a good one, but for what is given. */
const forged = ({
  header = {},
  claims = {},
  key = signing.key,
}: {
  header?: Partial<JWTHeaderParameters>;
  claims?: Record<string, unknown>;
  key?: KeyObject | Uint8Array;
}) => {
  const all = {
    iss: 'alphapulse',
    aud: 'alphapulse-api',
    sub: ada,
    scope: 'alerts:read',
    iat: seconds(),
    exp: seconds() + 600,
    ...claims,
  };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(present)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: signing.kid, ...header })
    .sign(key);
};
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const publicDer = () => createPublicKey(signing.key).export({ format: 'der', type: 'spki' });
const publicPem = () => Buffer.from(createPublicKey(signing.key).export({ format: 'pem', type: 'spki' }));

describe('access tokens', () => {
  it('say who bears them, what for and until when', async () => {
    expect(await verifier.verify(await good())).toEqual({
      userId: ada,
      scopes: SCOPES_OF_ROLE.trader,
      expiresAt: (seconds() + accessTokenSeconds) * 1000,
    });
  });

  it('made by hand in the same way are good: what follows fails for its own reason', async () => {
    expect(await verifier.verify(await forged({}))).toMatchObject({ userId: ada });
  });

  it.each<[string, () => Promise<string> | string]>([
    [
      'without a signature (alg none)',
      async () => {
        const [, payload] = (await good()).split('.');
        return `${part({ alg: 'none', typ: 'at+jwt', kid: signing.kid })}.${payload}.`;
      },
    ],
    [
      'signed with the public key as an HMAC secret (DER)',
      () => forged({ header: { alg: 'HS256' }, key: publicDer() }),
    ],
    [
      'signed with the public key as an HMAC secret (PEM)',
      () => forged({ header: { alg: 'HS256' }, key: publicPem() }),
    ],
    ['signed with another Ed25519 key', () => forged({ key: generateKeyPairSync('ed25519').privateKey })],
    [
      'that bring their own key',
      () => {
        const { privateKey, publicKey } = generateKeyPairSync('ed25519');
        return forged({ header: { jwk: publicKey.export({ format: 'jwk' }) as never }, key: privateKey });
      },
    ],
    ['of an unknown key', () => forged({ header: { kid: 'other' } })],
    ['of the key __proto__', () => forged({ header: { kid: '__proto__' } })],
    ['for another audience', () => forged({ claims: { aud: 'other' } })],
    ['of another issuer', () => forged({ claims: { iss: 'other' } })],
    ['of another type', () => forged({ header: { typ: 'JWT' } })],
    ['not yet valid', () => forged({ claims: { nbf: seconds() + 60 } })],
    ['without a subject', () => forged({ claims: { sub: undefined } })],
    ['without an end', () => forged({ claims: { exp: undefined } })],
    ['without a scope', () => forged({ claims: { scope: undefined } })],
    ['with scopes that are no string', () => forged({ claims: { scope: ['alerts:read'] } })],
    ['without a time of issue', () => forged({ claims: { iat: undefined } })],
    ['with an end that is no number', () => forged({ claims: { exp: 'never' } })],
    [
      'with another payload',
      async () => {
        const [header, , signature] = (await good()).split('.');
        return `${header}.${part({ sub: 'eve', scope: 'system:admin', iat: seconds(), exp: seconds() + 600 })}.${signature}`;
      },
    ],
    ['with another signature', async () => `${(await good()).slice(0, -8)}AAAAAAAA`],
    ['cut off', async () => (await good()).slice(0, -1)],
    ['of two parts', async () => (await good()).split('.', 2).join('.')],
    ['of four parts', async () => `${await good()}.x`],
    ['of nothing', () => ''],
    ['of dots', () => '..'],
    ['huge', async () => `${await good()}${'A'.repeat(1_000_000)}`],
  ])('%s are invalid', async (_name, make) => {
    expect(await verifier.verify(await make())).toEqual({ refusal: 'invalid' });
  });

  it('are expired from the second of their end on', async () => {
    const token = await forged({ claims: { exp: seconds() + 30 } });
    await system.clock.advance(29_999);
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
    await system.clock.advance(1);
    expect(await verifier.verify(token)).toEqual({ refusal: 'expired' });
  });

  it('are remembered for a minute, and forgotten after it', async () => {
    const token = await good();
    await verifier.verify(token);
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    const others = new TokenVerifier(table, system.clock);
    expect(await others.verify(token)).toEqual({ refusal: 'invalid' });
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
  });
});

describe('what checking costs', () => {
  const unknown = (index: number) => forged({ header: { kid: `unknown-${index}` } });

  it('good tokens cost one read together', async () => {
    await Promise.all([verifier.verify(await good()), verifier.verify(await forged({}))]);
    await verifier.verify(await forged({ claims: { jti: '2' } }));
    expect(reads.count).toBe(1);
  });

  it('a flood of tokens of unknown keys costs a few reads', async () => {
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    expect(reads.count).toBeLessThanOrEqual(5);
  });

  it('so does a flood at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => unknown(index)));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(reads.count).toBeLessThanOrEqual(5);
  });

  it('so does a flood before the first key is published', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    expect(reads.count).toBeLessThanOrEqual(5);
  });

  it('a key that is published after some bad tokens is found at once', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    await verifier.verify(await unknown(1));
    await openSigningKey(system.platform.secrets, system.platform.random, system.table);
    expect(await verifier.verify(await good())).toMatchObject({ userId: ada });
  });

  it('a flood shuts a new key out for ten seconds at most', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    await openSigningKey(system.platform.secrets, system.platform.random, system.table);
    await system.clock.advance(10_000);
    expect(await verifier.verify(await good())).toMatchObject({ userId: ada });
  });

  it('many good tokens at once, of a verifier that has no keys yet, are all good', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) => forged({ claims: { jti: String(index) } })),
    );
    const verdicts = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(verdicts.filter((verdict) => 'refusal' in verdict)).toEqual([]);
    expect(reads.count).toBe(1);
  });

  it('keys that can not be read are no reason to call a token invalid, however often', async () => {
    reads.fails = true;
    const token = await good();
    for (let index = 0; index < 10; index++) await expect(verifier.verify(token)).rejects.toThrow(Unavailable);
    reads.fails = false;
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
  });
});

describe('signing keys', () => {
  it('are the same at every start, and published once', async () => {
    const { secrets, random } = system.platform;
    const before = await system.changes.read('alerts', 100);
    const again = await openSigningKey(secrets, random, system.table);
    expect(again.kid).toBe(signing.kid);
    expect([...(await publicKeys(system.table)).keys()]).toEqual([signing.kid]);
    expect(await system.changes.read('alerts', 100)).toHaveLength(before.length);
  });

  it('stay published when a new one comes', async () => {
    const token = await good();
    await system.platform.secrets.put('token-signing', 'rotated');
    const next = await openSigningKey(system.platform.secrets, system.platform.random, system.table);
    const fresh = await issueAccessToken(next, system.clock, { userId: ada, role: 'viewer' });
    expect(next.kid).not.toBe(signing.kid);
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
    expect(await verifier.verify(fresh)).toMatchObject({ scopes: SCOPES_OF_ROLE.viewer });
  });

  it('leave only their public halves in the table', async () => {
    const stored = await system.table.get({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    const { d } = signing.key.export({ format: 'jwk' });
    expect(JSON.stringify(stored)).not.toContain(d);
    expect(JSON.stringify(stored)).not.toContain(await system.platform.secrets.get('token-signing'));
  });
});

describe('the authorizer', () => {
  const ask = async (headers: Record<string, string>) =>
    (await createAuthorizer({ ...system.platform, table })({ headers } as never)).context;

  it('tells who calls and what they may do', async () => {
    expect(await ask({ authorization: `Bearer ${await good()}` })).toEqual({
      userId: ada,
      scopes: SCOPES_OF_ROLE.trader.join(' '),
    });
  });

  it.each([
    [{}, 'missing'],
    [{ authorization: 'Basic YTpi' }, 'invalid'],
    [{ authorization: 'Bearer x' }, 'invalid'],
  ])('of %j it says that it is %s', async (headers, refusal) => {
    expect(await ask(headers as Record<string, string>)).toEqual({ refusal });
  });

  it('says so when it can not tell', async () => {
    reads.fails = true;
    expect(await ask({ authorization: `Bearer ${await good()}` })).toEqual({ refusal: 'unavailable' });
  });
});
