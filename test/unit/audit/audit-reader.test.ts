import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '#shared/audit/audit-log';
import { type AuditFilter, AuditReader } from '#shared/audit/audit-reader';
import type { AuditEntry, AuditEvent } from '#shared/audit/entry';
import type { UserId } from '#shared/model/user-id';
import { InvalidCursor } from '#shared/platform/errors';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const users = ['ad', 'be', 'ce'].map((last) => `01890000-0000-7000-8000-0000000000${last}` as UserId);
const ada = users[0] as UserId;
const dayMs = 86_400_000;
const types = ['auth.logged-out', 'auth.password-changed', 'config.account-added'] as const;

let system: TestPlatform;
let reader: AuditReader;
beforeEach(() => {
  system = testPlatform();
  reader = new AuditReader(system.platform);
});

const record = async (event: AuditEvent) => await new AuditLog(system.platform).record(event);

/** Every entry that a list gives, a page after the other. */
const paged = async (
  list: (page: { limit: number; cursor?: string }) => ReturnType<AuditReader['everywhere']>,
  limit: number,
) => {
  const items: AuditEntry[] = [];
  let pages = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await list({ limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    pages += 1;
    cursor = page.cursor;
    if (cursor === undefined) return { items, pages };
  }
};

const Happening = fc.record({
  user: fc.constantFrom(...users),
  type: fc.constantFrom(...types),
  pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 * dayMs })),
});

describe('the lists of the audit log', () => {
  it('give each entry that matches once, newest first, with pages of any size', async () => {
    const History = fc.array(Happening, { minLength: 1, maxLength: 15 });
    const Filter = fc.record(
      {
        type: fc.constantFrom('auth.', 'auth.logged-out', 'config.'),
        from: fc.nat(20 * dayMs),
        to: fc.nat(20 * dayMs),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(History, Filter, fc.integer({ min: 1, max: 5 }), async (history, asked, limit) => {
        system = testPlatform();
        reader = new AuditReader(system.platform);
        const start = system.clock.now();
        const expected: { user: UserId; type: string; at: number }[] = [];
        for (const { user, type, pauseMs } of history) {
          await system.clock.advance(pauseMs);
          await record({ type, actor: { kind: 'user', userId: user } });
          expected.unshift({ user, type, at: system.clock.now() });
        }
        const filter: AuditFilter = {
          ...(asked.type === undefined ? {} : { type: asked.type }),
          ...(asked.from === undefined ? {} : { from: start + asked.from }),
          ...(asked.to === undefined ? {} : { to: start + asked.to }),
        };
        const { from = 0, to = Number.POSITIVE_INFINITY, type: begin = '' } = filter;
        const wanted = expected.filter(({ type, at }) => type.startsWith(begin) && at >= from && at <= to);
        const everywhere = (await paged((page) => reader.everywhere(filter, page), limit)).items;
        const shown = everywhere.filter(({ trail }) => trail !== 'system').map(({ at, type }) => `${at} ${type}`);
        expect(shown.toSorted()).toEqual(wanted.map(({ at, type }) => `${at} ${type}`).toSorted());
        expect(everywhere.map(({ at }) => at)).toEqual(everywhere.map(({ at }) => at).toSorted((a, b) => b - a));
        const { items } = await paged((page) => reader.ofUser(ada, filter, page), limit);
        expect(items.map(({ at, type }) => `${at} ${type}`)).toEqual(
          wanted.filter(({ user }) => user === ada).map(({ at, type }) => `${at} ${type}`),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('read about as much as they give, however much is stored', async () => {
    for (let number = 0; number < 60; number += 1) {
      await record({ type: 'auth.logged-out', actor: { kind: 'user', userId: ada } });
    }
    system.table.calls.length = 0;
    await reader.everywhere({}, { limit: 5 });
    await reader.ofUser(ada, {}, { limit: 5 });
    expect(system.table.calls.map(({ name }) => name)).toEqual(['query', 'query', 'query']);
  });

  it('look into two months a page at most, and go on from there', async () => {
    await record({ type: 'auth.logged-out', actor: { kind: 'user', userId: ada } });
    await system.clock.advance(200 * dayMs);
    system.table.calls.length = 0;
    const { items, pages } = await paged((page) => reader.everywhere({ type: 'auth.' }, page), 10);
    expect([items.length, pages]).toEqual([1, 4]);
    expect(system.table.calls.length).toBeLessThan(215);
  });

  it('are empty in a new installation', async () => {
    expect(await reader.everywhere({}, { limit: 10 })).toEqual({ items: [] });
  });

  it('show an entry that a machine wrote whose clock is behind', async () => {
    await record({ type: 'auth.logged-out', actor: { kind: 'user', userId: ada } });
    const behind = { now: () => system.clock.now() - 60_000, sleep: async () => {} };
    const event: AuditEvent = { type: 'auth.logged-out', actor: { kind: 'user', userId: users[1] as UserId } };
    await new AuditLog({ ...system.platform, clock: behind }).record(event);
    const { items } = await reader.everywhere({ type: 'auth.' }, { limit: 10 });
    expect(items.map(({ trail }) => trail)).toEqual([ada, users[1]]);
  });

  it.each(['', 'x', '001767225600000#999', '001767225600000#~#~'])('refuse the cursor "%s"', async (cursor) => {
    await record({ type: 'auth.logged-out', actor: { kind: 'user', userId: ada } });
    await expect(reader.everywhere({}, { limit: 1, cursor })).rejects.toThrow(InvalidCursor);
    await expect(reader.ofUser(ada, {}, { limit: 1, cursor })).rejects.toThrow(InvalidCursor);
  });
});
