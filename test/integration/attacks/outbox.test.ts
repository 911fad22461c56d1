/** Mails hold what resets passwords: who else reads the outbox of one machine has its accounts. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, call } from '../../support/client.ts';
import { type ServerHere, startServerHere } from '../../support/server-here.ts';
import { outboxUrlOf, temporaryFolder } from '../../support/server-process.ts';

const folder = await temporaryFolder();
let server: ServerHere;
let outboxUrl: string;

beforeAll(async () => {
  const earlier = await startServerHere({}, { dataFolder: folder.path });
  outboxUrl = await outboxUrlOf(folder.path);
  await earlier.end();
  server = await startServerHere({}, { dataFolder: folder.path, clock: earlier.clock });
});
afterAll(async () => {
  await server?.end();
  await folder.remove();
});

describe('another user of this machine', () => {
  it.each<[what: string, query: () => string]>([
    ['no token', () => ''],
    ['an empty token', () => '?token='],
    ['a wrong token', () => `?token=${'x'.repeat(43)}`],
    ['the token of an earlier start', () => new URL(outboxUrl).search],
    ['two tokens', () => `?token=x&${new URL(server.outboxUrl ?? '').search.slice(1)}`],
  ])('reads no mail with %s', async (_what, query) => {
    const { status, body } = await call(`${server.url}/outbox${query()}`);
    expect([status, body]).toMatchObject([403, { type: '/problems/forbidden' }]);
    expect(JSON.stringify(body)).toContain('outbox-url.txt');
  });

  it('reads no mail with the token of a login', async () => {
    const { token } = await ApiClient.of(server, folder.path);
    expect((await call(`${server.url}/outbox`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
  });

  it('does not read the address of the outbox from its file', async () => {
    expect((await stat(join(folder.path, 'outbox-url.txt'))).mode & 0o777).toBe(0o600);
  });

  it('finds no link to it on the first page', async () => {
    expect((await call(server.url)).body).not.toMatch(/outbox/i);
  });
});

describe('the owner', () => {
  it('reads the mails at the address of the file, as JSON or as a page', async () => {
    const url = await outboxUrlOf(folder.path);
    expect(url).toBe(server.outboxUrl);
    expect((await call(url)).body).toMatchObject({ items: [], nextCursor: null });
    const page = await call(url, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('has no outbox where a mail server takes the mails', async () => {
    await server.end();
    server = await startServerHere({}, { dataFolder: folder.path, smtpUrl: 'smtp://127.0.0.1:1', clock: server.clock });
    expect(server.outboxUrl).toBeUndefined();
    await expect(outboxUrlOf(folder.path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await call(`${server.url}/outbox${new URL(outboxUrl).search}`)).status).toBe(404);
  });
});
