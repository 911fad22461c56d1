import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEntry } from '#shared/audit/entry';
import type { UserId } from '#shared/model/user-id';
import { ApiClient, call } from '../support/client.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { temporaryFolder } from '../support/server-process.ts';

type Page = { readonly items: readonly AuditEntry[]; readonly nextCursor: string | null };

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** Passwords are hashed and an account is synchronised, while other tests keep the machine busy. */
const startTimeoutMs = 60_000;
const folder = await temporaryFolder();
let server: ServerHere;
let admin: ApiClient;
let eve: ApiClient;
let eveId: UserId;
let accountId: string;
/** When the day's first events were over. */
let midday: number;

const json = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

beforeAll(async () => {
  server = await startServerHere({}, { dataFolder: folder.path });
  admin = await ApiClient.of(server, folder.path);
  const person = { email: 'eve@example.com', password: 'correct horse battery' };
  eveId = ((await call(`${server.url}/api/user/register`, json(person))).body as { userId: UserId }).userId;
  const login = await call(`${server.url}/api/user/login`, json(person));
  eve = new ApiClient(server.url, (login.body as { accessToken: string }).accessToken);
  for (const client of [admin, eve]) {
    const practice = { venue: 'sim', label: 'my secret label', mode: 'paper' };
    accountId = ((await client.send('POST', '/api/exchange/accounts', practice)).body as { accountId: string })
      .accountId;
  }
  midday = Math.floor(server.clock.now()) + 1;
  await server.clock.sleep(2);
  await eve.send('PUT', `/api/exchange/accounts/${accountId}`, { label: 'another', syncSeconds: 90 });
  await eve.send('DELETE', `/api/exchange/accounts/${accountId}`);
  const log = new AuditLog(server.platform);
  await log.record({ type: 'auth.login-failed', actor: { kind: 'anonymous' }, after: { reason: 'unknown-user' } });
}, startTimeoutMs);
afterAll(async () => {
  await server?.end();
  await folder.remove();
});

/** What the demo user did when the server was first started is not of interest. */
const typesOf = ({ items }: Page) =>
  items.map(({ type, trail }) => `${trail === eveId ? 'eve' : trail.slice(0, 6)} ${type}`);
/** Each reading is an entry of its own, which the next one shows: those are left out. */
const everywhere = async (query = ''): Promise<Page> => {
  const { items, nextCursor } = await admin.get<Page>(`/api/system/audit?${query}`);
  return { items: items.filter(({ type }) => type !== 'data.audit-read'), nextCursor };
};
const own = (query = '') => eve.get<Page>(`/api/user/audit?${query}`);

describe('the trail of a user', () => {
  it('tells what they did and from where, newest first, without what they wrote in their own words', async () => {
    const { items } = await own('type=config.account');
    expect(items.map(({ type }) => type)).toEqual([
      'config.account-removed',
      'config.account-changed',
      'config.account-added',
    ]);
    expect(items[1]).toMatchObject({
      trail: eveId,
      actor: { kind: 'user', userId: eveId },
      source: { address: '127.0.0.1', userAgent: expect.stringMatching(/./) },
      target: { kind: 'account', id: accountId },
      after: { venue: 'sim', mode: 'paper', readOnly: false, syncSeconds: 90, credentialsReplaced: false },
    });
    expect(JSON.stringify(items)).not.toMatch(/label|another/);
  });

  it('is out of reach for every other user', async () => {
    const { nextCursor } = await admin.get<Page>('/api/user/audit?limit=1&type=config.');
    const answers = await Promise.all([
      eve.send('GET', `/api/user/audit?userId=${eveId}`),
      eve.send('GET', `/api/user/audit?limit=1&type=config.&cursor=${encodeURIComponent(nextCursor ?? 'x.y')}`),
      call(`${server.url}/api/user/audit`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([422, 400, 401]);
    expect((await own()).items.every(({ trail }) => trail === eveId)).toBe(true);
  });
});

describe('the log of the system', () => {
  it('is refused to a trader', async () => {
    expect((await eve.send('GET', '/api/system/audit')).status).toBe(403);
  });

  it('holds the entries of every trail, newest first', async () => {
    const { items, nextCursor } = await everywhere();
    expect(nextCursor).toBeNull();
    expect(typesOf({ items, nextCursor }).slice(0, 3)).toEqual([
      'system auth.login-failed',
      'eve config.account-removed',
      'eve config.account-changed',
    ]);
    expect(new Set(items.map(({ trail }) => trail)).size).toBe(3);
    expect(items.map(({ at }) => at)).toEqual(items.map(({ at }) => at).toSorted((a, b) => b - a));
  });

  it.each(['', 'type=config.', 'type=auth.', 'user', 'from', 'to', 'type=config.account-c&from'])(
    'comes the same page by page, filtered by "%s"',
    async (named) => {
      const filter = named.replace('user', `userId=${eveId}`).replace(/(from|to)$/, (name) => `${name}=${midday}`);
      const whole = (await everywhere(filter)).items;
      const paged: AuditEntry[] = [];
      for (let cursor = ''; ; ) {
        const page = await everywhere(`limit=1&${filter}${cursor}`);
        paged.push(...page.items);
        if (page.nextCursor === null) break;
        cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
      }
      expect(whole.length).toBeGreaterThan(0);
      expect(paged).toEqual(whole);
    },
  );

  it('is filtered by type, user and time', async () => {
    expect(typesOf(await everywhere('type=auth.login-failed'))).toEqual(['system auth.login-failed']);
    expect(new Set((await everywhere(`userId=${eveId}`)).items.map(({ trail }) => trail))).toEqual(new Set([eveId]));
    const [after, before] = [await everywhere(`from=${midday}`), await everywhere(`to=${midday - 1}`)];
    expect(after.items.every(({ at }) => at >= midday)).toBe(true);
    expect(before.items.every(({ at }) => at < midday)).toBe(true);
    expect(after.items.length + before.items.length).toBe((await everywhere()).items.length);
  });

  it('refuses a cursor that was changed, and a filter that means nothing', async () => {
    const { nextCursor } = await everywhere('limit=1');
    const asked = [
      `cursor=${nextCursor}x`,
      `limit=1&type=auth.&cursor=${nextCursor}`,
      'type=AUTH',
      'from=-1',
      'userId=eve',
    ];
    const answers = await Promise.all(asked.map((query) => admin.send('GET', `/api/system/audit?${query}`)));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 422, 422, 422]);
  });
});

describe('npm run audit:verify', () => {
  const verify = async (...args: string[]) =>
    await run(process.execPath, ['bin/audit-verify.ts', '--data', folder.path, ...args], { cwd: root }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
    );
  const ends = join(folder.path, 'ends.json');

  it('says that the server has to be stopped', async () => {
    expect(await verify()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is in use: stop the server first/),
    });
  });

  it('finds nothing and keeps the ends, and later finds what was changed and what does not fit the ends', async () => {
    await server.end();
    const good = await verify('--save', ends);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(
      /^\d+ entries of 3 trails: as they were written\.\nThe system's trail ends at entry \d+, \w{64}\.\n$/,
    );
    const saved = JSON.parse(await readFile(ends, 'utf8'));
    const other = saved.map((end: object) => ({ ...end, hash: 'f'.repeat(64) }));
    await writeFile(ends, JSON.stringify(other));

    const store = new DatabaseSync(join(folder.path, 'alphapulse.db'));
    const changed = store.prepare(
      `UPDATE items SET item = replace(item, '"syncSeconds":90', '"syncSeconds":91') WHERE pk = ?`,
    );
    changed.run(`AUDIT#${eveId}`);
    store.close();
    const bad = await verify('--expect', ends);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(new RegExp(`^Trail ${eveId}, entry \\d+ was changed: .*$`, 'm'));
    expect(bad.stdout.match(/is not the one of an earlier verification/g)).toHaveLength(3);
    expect(bad.stdout).toMatch(/^\d+ entries of 3 trails: 4 faults found\.$/m);
  });

  it('says that a file is none of its own', async () => {
    await writeFile(ends, '{}');
    expect(await verify('--expect', ends)).toMatchObject({ code: 2, stderr: `${ends} was not written by --save.\n` });
  });
});
