import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MailedTokens } from '#shared/auth/mailed-token';
import { mailedTokenKind } from '#shared/auth/stored-mailed-token';
import type { UserId } from '#shared/model/user-id';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-000000000001' as UserId;
const email = 'ada@example.com';
const key = { pk: `USER#${ada}`, sk: 'MAILED-TOKEN#password-reset' };
const requestId = '01890000-0000-7000-8000-00000000000a';
const requestOf = (id: string) => ({ requestId: id, requestedAt: system.clock.now() });

let system: TestPlatform;
let tokens: MailedTokens;
beforeEach(() => {
  system = testPlatform();
  tokens = new MailedTokens(system.platform, 'password-reset');
});

/** The token of a request as versions with shape 1 stored it. */
const storeShape1 = async (): Promise<string> => {
  const { token = '' } = (await tokens.issue(ada, email, requestOf(requestId))) ?? {};
  const tokenHash = createHash('sha256').update(token).digest('base64url');
  const names = { orderId: requestId, orderedAt: system.clock.now() };
  await system.store.put({ ...key, kind: 'mailed-token', tokenHash, ...names, email });
  return token;
};

describe('a token that an earlier version stored', () => {
  it('is read in the words of today', async () => {
    await storeShape1();
    const read = mailedTokenKind.read(await system.store.get(key));
    expect(read).toMatchObject({ requestId, requestedAt: system.clock.now(), email, shape: 2 });
    expect(Object.keys(read ?? {}).filter((name) => name.startsWith('order'))).toEqual([]);
  });

  it('is valid until its time is over', async () => {
    const token = await storeShape1();
    expect(await tokens.prove(token)).toMatchObject({ userId: ada, email });
    await system.clock.advance(30 * 60_000);
    await expect(tokens.prove(token)).rejects.toThrow('The token');
  });

  it('can be used once', async () => {
    const token = await storeShape1();
    const { write } = await tokens.prove(token);
    await system.platform.table.transact([write]);
    await expect(tokens.prove(token)).rejects.toThrow('The token');
  });

  it('is mailed once by a job that is repeated', async () => {
    const token = await storeShape1();
    expect(await tokens.issue(ada, email, requestOf(requestId))).toEqual({ token });
    await tokens.mailed(ada, requestOf(requestId));
    expect(await tokens.issue(ada, email, requestOf(requestId))).toBeUndefined();
  });

  it('is replaced by the next one, no sooner than after a minute', async () => {
    await storeShape1();
    const next = '01890000-0000-7000-8000-00000000000b';
    expect(await tokens.issue(ada, email, requestOf(next))).toBeUndefined();
    await system.clock.advance(60_000);
    const issued = await tokens.issue(ada, email, requestOf(next));
    await system.platform.table.transact(issued?.write === undefined ? [] : [issued.write]);
    const stored = await system.store.get(key);
    expect(stored).toMatchObject({ shape: 2, requestId: next });
    expect(stored).not.toHaveProperty('orderId');
  });
});
