import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthorizer } from '#functions/api/authorizer';
import { type SigningKey, SigningKeys } from '#shared/auth/signing-keys';
import { newSession, type SessionId, sessionKey } from '#shared/auth/stored-session';
import { accessTokenSeconds, issueAccessToken, TokenVerifier } from '#shared/auth/tokens';
import { SCOPES_OF_ROLE } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import { Unavailable } from '#shared/platform/errors';
import type { Item, Key, Table } from '#shared/platform/table';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const sessionId = '01890000-0000-7000-8000-0000000005e5' as SessionId;
const client = { address: '203.0.113.7', userAgent: 'test' };

/** Counts the reads of a table by what they read, and fails them when told to. */
const countedReads = (table: Table) => {
  const reads = { keys: 0, sessions: 0, fails: false };
  const get: Table['get'] = async <T extends Item>(key: Key, options?: { consistent?: boolean }) => {
    reads[key.sk === 'JWKS' ? 'keys' : 'sessions'] += 1;
    if (reads.fails) throw new Unavailable('The table does not answer.');
    return await table.get<T>(key, options);
  };
  return { reads, table: tableWith(table, { get }) };
};

let system: TestPlatform;
let reads: { keys: number; sessions: number; fails: boolean };
let table: Table;
let verifier: TokenVerifier;
let signing: SigningKey;
beforeEach(async () => {
  system = testPlatform();
  signing = await new SigningKeys(system.platform).current();
  await system.table.put(newSession({ userId: ada, role: 'trader' }, sessionId, client, system.clock.now()));
  ({ reads, table } = countedReads(system.table));
  verifier = caching(60);
});

const caching = (sessionCacheSeconds: number) => {
  const config = withSettings(system.platform.config, { auth: { sessionCacheSeconds } });
  return new TokenVerifier({ table, clock: system.clock, config });
};

const seconds = () => Math.floor(system.clock.now() / 1000);
const good = () => issueAccessToken(signing, system.platform, { userId: ada, role: 'trader', sessionId });

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
    sid: sessionId,
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
      sessionId,
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
    [
      'signed by an RSA key',
      () => forged({ header: { alg: 'PS256' }, key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
    ],
    [
      'that say where their key is',
      () =>
        forged({
          header: { jku: 'https://evil.example.com/jwks.json', x5u: 'https://evil.example.com/key.pem' },
          key: generateKeyPairSync('ed25519').privateKey,
        }),
    ],
    [
      'with an extension that has to be understood',
      async () => {
        const [, payload] = (await good()).split('.');
        const header = { alg: 'EdDSA', typ: 'at+jwt', kid: signing.kid, crit: ['x'], x: 1 };
        const signed = `${part(header)}.${payload}`;
        return `${signed}.${sign(null, Buffer.from(signed), signing.key).toString('base64url')}`;
      },
    ],
    ['of an unknown key', () => forged({ header: { kid: 'other' } })],
    ['of the key __proto__', () => forged({ header: { kid: '__proto__' } })],
    ['for another audience', () => forged({ claims: { aud: 'other' } })],
    ['of another issuer', () => forged({ claims: { iss: 'other' } })],
    ['of another type', () => forged({ header: { typ: 'JWT' } })],
    ['not yet valid', () => forged({ claims: { nbf: seconds() + 60 } })],
    ['without a subject', () => forged({ claims: { sub: undefined } })],
    ['without a session', () => forged({ claims: { sid: undefined } })],
    ['whose session is no id', () => forged({ claims: { sid: 'a#b' } })],
    ['whose subject is no id', () => forged({ claims: { sub: 'a#b' } })],
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
    const others = caching(60);
    expect(await others.verify(token)).toEqual({ refusal: 'invalid' });
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
    await system.clock.advance(60_000);
    expect(await verifier.verify(token)).toEqual({ refusal: 'invalid' });
  });
});

describe('the session of a token', () => {
  const changes: [string, () => Promise<unknown>, object][] = [
    ['has ended', () => system.table.delete(sessionKey(ada, sessionId)), { refusal: 'ended' }],
    [
      'got another role',
      () => system.table.update(sessionKey(ada, sessionId), { set: { role: 'viewer' } }),
      { scopes: SCOPES_OF_ROLE.viewer },
    ],
  ];

  it.each(changes)('that %s counts at once on one machine', async (_what, change, verdict) => {
    const local = caching(0);
    const token = await good();
    expect(await local.verify(token)).toMatchObject({ scopes: SCOPES_OF_ROLE.trader });
    await change();
    expect(await local.verify(token)).toMatchObject(verdict);
  });

  it.each(changes)('that %s counts within a minute on AWS', async (_what, change, verdict) => {
    const token = await good();
    await verifier.verify(token);
    await change();
    await system.clock.advance(60_000);
    expect(await verifier.verify(token)).toMatchObject(verdict);
  });

  it('that nobody refreshed has ended, although its item is still there', async () => {
    await system.clock.advance(30 * 86_400_000);
    expect(await verifier.verify(await good())).toEqual({ refusal: 'ended' });
  });

  it('must be one of the user', async () => {
    const eve = await forged({ claims: { sub: '01890000-0000-7000-8000-00000000e4e0' } });
    expect(await verifier.verify(eve)).toEqual({ refusal: 'ended' });
    await verifier.verify(await good());
    expect(await verifier.verify(eve)).toEqual({ refusal: 'ended' });
  });

  it('is read once a minute on AWS', async () => {
    const token = await good();
    for (let index = 0; index < 5; index++) await verifier.verify(token);
    await verifier.verify(await forged({ claims: { jti: '2' } }));
    expect(reads.sessions).toBe(1);
  });
});

describe('what checking costs', () => {
  const unknown = (index: number) => forged({ header: { kid: `unknown-${index}` } });

  it('good tokens cost one read together', async () => {
    await Promise.all([verifier.verify(await good()), verifier.verify(await forged({}))]);
    await verifier.verify(await forged({ claims: { jti: '2' } }));
    expect(reads.keys).toBe(1);
  });

  it('a flood of tokens of unknown keys costs a few reads', async () => {
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    expect(reads.keys).toBeLessThanOrEqual(5);
  });

  it('so does a flood at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => unknown(index)));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(reads.keys).toBeLessThanOrEqual(5);
  });

  it('so does a flood before the first key is published', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    expect(reads.keys).toBeLessThanOrEqual(5);
  });

  it('a key that is published after some bad tokens is found at once', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    await verifier.verify(await unknown(1));
    await new SigningKeys(system.platform).current();
    expect(await verifier.verify(await good())).toMatchObject({ userId: ada });
  });

  it('a flood shuts a new key out for ten seconds at most', async () => {
    await system.table.delete({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    for (let index = 0; index < 50; index++) await verifier.verify(await unknown(index));
    await new SigningKeys(system.platform).current();
    await system.clock.advance(10_000);
    expect(await verifier.verify(await good())).toMatchObject({ userId: ada });
  });

  it('many good tokens at once, of a verifier that has no keys yet, are all good', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) => forged({ claims: { jti: String(index) } })),
    );
    const verdicts = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(verdicts.filter((verdict) => 'refusal' in verdict)).toEqual([]);
    expect(reads.keys).toBe(1);
  });

  it('keys that can not be read are no reason to call a token invalid, however often', async () => {
    reads.fails = true;
    const token = await good();
    for (let index = 0; index < 10; index++) await expect(verifier.verify(token)).rejects.toThrow(Unavailable);
    reads.fails = false;
    expect(await verifier.verify(token)).toMatchObject({ userId: ada });
  });
});

describe('the authorizer', () => {
  const ask = async (headers: Record<string, string>) =>
    (await createAuthorizer({ ...system.platform, table })({ headers } as never)).context;

  it('tells who calls and what they may do', async () => {
    expect(await ask({ authorization: `Bearer ${await good()}` })).toEqual({
      userId: ada,
      sessionId,
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
