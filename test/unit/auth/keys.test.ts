import * as fc from 'fast-check';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyRotation, keyLeadSeconds, keyOverlapSeconds, keyPeriodDays } from '#shared/auth/key-rotation';
import { jsonWebKeys, jwksMaxAgeSeconds } from '#shared/auth/published-keys';
import { SigningKeys, signingKeyCacheSeconds } from '#shared/auth/signing-keys';
import { newSession, type SessionId } from '#shared/auth/stored-session';
import { accessTokenSeconds, issueAccessToken, TokenVerifier } from '#shared/auth/tokens';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import { httpApi } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const sessionId = '01890000-0000-7000-8000-0000000005e5' as SessionId;
const client = { address: '203.0.113.7', userAgent: 'test' };
const daysMs = 86_400_000;
const secondsMs = 1000;

let system: TestPlatform;
beforeEach(() => {
  system = testPlatform();
});

/** What a user of the tokens does: gets one signed, and has one checked. */
const given = (platform = system.platform) => {
  const keys = new SigningKeys(platform);
  const verifier = new TokenVerifier(platform);
  return {
    issue: async () => {
      const session = newSession({ userId: ada, role: 'trader' }, sessionId, client, platform.clock.now());
      await platform.table.put(session);
      return await issueAccessToken(await keys.current(), platform, session);
    },
    isGood: async (token: string) => 'userId' in (await verifier.verify(token)),
  };
};
const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const published = async () => (await jsonWebKeys(system.table)).map(({ kid }) => kid);
const rotate = () => new KeyRotation(system.platform).run();
/** A run that ends, as by a kill, when the secret was changed and nothing was published. */
const rotateKilled = async () => {
  const put = () => Promise.reject(new Unavailable('killed'));
  await new KeyRotation({ ...system.platform, table: tableWith(system.table, { put }) }).run().catch(() => undefined);
};

describe('the first signing key', () => {
  it('is the same at every start, and published once', async () => {
    const [first, second] = [await given().issue(), await given().issue()];
    expect(kidOf(second)).toBe(kidOf(first));
    expect(await published()).toEqual([kidOf(first)]);
  });

  it('is one when several functions start at once', async () => {
    const starts = [given().issue(), given().issue(), given().issue(), rotate()];
    const tokens = await system.awake(Promise.all(starts));
    expect(new Set(tokens.slice(0, 3).map((token) => kidOf(token as string))).size).toBe(1);
    expect(await published()).toHaveLength(1);
  });

  it('leaves only its public half in the table', async () => {
    await given().issue();
    const stored = await system.table.get({ pk: 'SYSTEM#AUTH', sk: 'JWKS' });
    expect(JSON.stringify(stored)).not.toContain(await system.platform.secrets.get('token-signing'));
    expect(JSON.stringify(stored)).not.toMatch(/"d"/);
  });
});

describe('the rotation of signing keys', () => {
  const due = keyPeriodDays * daysMs;

  it('does nothing before its time', async () => {
    await given().issue();
    const before = await system.changes.read('alerts', 100);
    await system.clock.advance(due - 1);
    expect(await rotate()).toEqual({ added: [], withdrawn: [] });
    expect(await system.changes.read('alerts', 100)).toHaveLength(before.length);
  });

  it('publishes a new key, has it sign later, and withdraws the old one when its tokens have ended', async () => {
    const user = given();
    const first = await user.issue();
    await system.clock.advance(due);
    const { added } = await rotate();
    expect(await published()).toEqual([kidOf(first), ...added]);
    await system.clock.advance((keyLeadSeconds - 1) * secondsMs);
    const last = await given().issue();
    expect(kidOf(last)).toBe(kidOf(first));
    await system.clock.advance(secondsMs);
    expect(kidOf(await given().issue())).toBe(added[0]);
    expect(await user.isGood(last)).toBe(true);
    expect(await rotate()).toEqual({ added: [], withdrawn: [] });
    await system.clock.advance(keyOverlapSeconds * secondsMs);
    expect(await rotate()).toEqual({ added: [], withdrawn: [kidOf(first)] });
    expect(await published()).toEqual(added);
    expect(await user.isGood(await user.issue())).toBe(true);
  });

  it('keeps no trace of a withdrawn key, and makes the next of nothing but chance', async () => {
    const { secrets } = system.platform;
    await given().issue();
    const material = (await secrets.get('token-signing')) ?? '';
    await system.clock.advance(due);
    await rotate();
    const [old] = JSON.parse((await secrets.get('token-signing')) ?? '').seeds;
    await system.clock.advance((keyLeadSeconds + keyOverlapSeconds) * secondsMs);
    await rotate();
    const left = await secrets.get('token-signing');
    expect(left).not.toContain(old);
    expect(left).not.toContain(material);
  });

  it('leaves longer than every cache and token lives before it trusts a new key alone', () => {
    expect(keyLeadSeconds).toBeGreaterThan(jwksMaxAgeSeconds + signingKeyCacheSeconds);
    expect(keyOverlapSeconds).toBeGreaterThan(accessTokenSeconds + 2 * signingKeyCacheSeconds + 60);
  });

  it('run twice at once adds one key', async () => {
    await given().issue();
    await system.clock.advance(due);
    await system.awake(Promise.all([rotate(), rotate()]));
    expect(await published()).toHaveLength(2);
    await system.clock.advance(keyLeadSeconds * secondsMs);
    const user = given();
    expect(await user.isGood(await user.issue())).toBe(true);
  });

  it('takes away at once what a replaced secret had signed', async () => {
    const user = given();
    const stolen = await user.issue();
    await system.platform.secrets.put('token-signing', 'replaced');
    await rotate();
    await system.clock.advance(60_000);
    expect(await user.isGood(stolen)).toBe(false);
    expect(await user.isGood(await user.issue())).toBe(true);
    expect(await published()).not.toContain(kidOf(stolen));
  });

  const step = fc.oneof(
    fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 6, max: 40 * 24 * 60 }) }),
    fc.constantFrom({ do: 'rotate' } as const, { do: 'be killed' } as const, { do: 'rotate twice' } as const),
  );

  it('never makes a good token a bad one, nor signs with a key that caches do not know', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        system = testPlatform();
        const user = given();
        let latest = await user.issue();
        let cached = await published();
        for (const one of steps) {
          if (one.do === 'rotate') await rotate();
          if (one.do === 'be killed') await rotateKilled();
          if (one.do === 'rotate twice') await system.awake(Promise.all([rotate(), rotate()]));
          if (one.do === 'wait') {
            await system.clock.advance((one.minutes * 60 - jwksMaxAgeSeconds) * secondsMs);
            cached = await published();
            await system.clock.advance(jwksMaxAgeSeconds * secondsMs);
            latest = await user.issue();
          }
          expect(await user.isGood(latest)).toBe(true);
          expect(await given().isGood(latest)).toBe(true);
          const fresh = await given().issue();
          expect(await user.isGood(fresh)).toBe(true);
          expect(cached).toContain(kidOf(fresh));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the published keys', () => {
  it('check a token by the book, and may be kept for a while', async () => {
    const token = await given().issue();
    const http = await httpApi(system.platform);
    const { status, headers, body } = await http.request('GET', '/.well-known/jwks.json');
    expect([status, headers['cache-control']]).toEqual([200, `public, max-age=${jwksMaxAgeSeconds}`]);
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(body), {
      typ: 'at+jwt',
      issuer: 'alphapulse',
      audience: 'alphapulse-api',
      currentDate: new Date(system.clock.now()),
      requiredClaims: ['iss', 'aud', 'sub', 'sid', 'iat', 'exp', 'jti', 'scope', 'client_id'],
    });
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: body.keys[0].kid });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
  });

  it('are none before the first login', async () => {
    const http = await httpApi(system.platform);
    expect((await http.request('GET', '/.well-known/jwks.json')).body).toEqual({ keys: [] });
  });
});
