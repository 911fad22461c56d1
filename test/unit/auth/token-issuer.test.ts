import { beforeEach, describe, expect, it } from 'vitest';
import { Sessions } from '#shared/auth/sessions';
import { TokenIssuer } from '#shared/auth/token-issuer';
import { accessTokenSeconds, TokenVerifier } from '#shared/auth/tokens';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const client = { address: '203.0.113.7', userAgent: 'test' };
const credentials = { email: 'ada@example.com', password: 'correct horse battery' };

let system: TestPlatform;
let sessions: Sessions;
let userId: UserId;
beforeEach(async () => {
  system = testPlatform();
  sessions = new Sessions(system.platform);
  userId = await system.user(credentials.email);
});

/** An issuer that cannot read the signing key. */
const keyless = () => {
  const unavailable = () => Promise.reject(new Unavailable('The secret store does not answer.'));
  const secrets = { ...system.platform.secrets, get: unavailable, create: unavailable };
  return new TokenIssuer({ ...system.platform, secrets } as typeof system.platform, sessions);
};

describe('issued tokens', () => {
  it('are those of the session that was opened, then of its refresh', async () => {
    const issuer = new TokenIssuer(system.platform, sessions);
    const verifier = new TokenVerifier(system.platform);
    const first = await issuer.logIn(credentials, client);
    expect(first).toMatchObject({ tokenType: 'Bearer', expiresIn: accessTokenSeconds });
    const second = await issuer.refresh(first.refreshToken, client);
    const [bearer, refreshed] = [await verifier.verify(first.accessToken), await verifier.verify(second.accessToken)];
    expect(bearer).toMatchObject({ userId });
    expect(refreshed).toEqual(bearer);
    expect(second.refreshToken).not.toBe(first.refreshToken);
  });

  it('use up no refresh token while there is no key to sign with', async () => {
    const { refreshToken } = await sessions.open(userId, client);
    await expect(keyless().refresh(refreshToken, client)).rejects.toBeInstanceOf(Unavailable);
    await expect(new TokenIssuer(system.platform, sessions).refresh(refreshToken, client)).resolves.toBeDefined();
  });

  it('open no session while there is no key to sign with', async () => {
    await expect(keyless().logIn(credentials, client)).rejects.toBeInstanceOf(Unavailable);
    expect((await sessions.hold(userId)).sessions).toEqual([]);
  });
});
