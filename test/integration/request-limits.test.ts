import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/client.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { temporaryFolder } from '../support/server-process.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerHere;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServerHere({ http: { requestLimitFactor: 1 } }, { dataFolder: folder.path });
});
afterAll(async () => {
  await server?.end();
  await folder?.remove();
});

const login = () => call(`${server.url}/api/user/login`, { method: 'POST' });

describe('a client that asks too often', () => {
  it('is refused for the rest of the minute, also by a server that was started again, and served in the next one', async () => {
    // All of it within one minute of the server's clock.
    server.clock.leap(60_000 - (server.clock.now() % 60_000));
    for (let sent = 0; sent < 30; sent++) expect((await login()).status).toBe(415);
    const { status, headers } = await login();
    expect([status, headers.get('content-type')]).toEqual([429, 'application/problem+json']);
    expect(headers.get('ratelimit-policy')).toBe('"route";q=30;w=60');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);

    await server.end();
    server = await startServerHere(
      { http: { requestLimitFactor: 1 } },
      { dataFolder: folder.path, clock: server.clock },
    );
    expect((await login()).status).toBe(429);

    server.clock.leap(Number(headers.get('retry-after')) * 1000);
    expect((await login()).status).toBe(415);
  });
});
