import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ensureDemoLogin } from '#local/demo-login';
import { type Server, startServer } from '#local/server';
import { localLogger } from '#local/telemetry';
import { withSettings } from '#shared/platform/config/config';
import { testConfig } from '../support/test-platform.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-'));
  closers.push(() => rm(folder, { recursive: true }));
  return folder;
};

const started = async (dataFolder: string) => {
  let password = '';
  const server = await startServer({
    config: withSettings(testConfig, { market: { syncSeconds: 0.05 } }),
    dataFolder,
    host: '127.0.0.1',
    port: 0,
    logger: localLogger('SILENT'),
    prepare: async (platform) => {
      password = (await ensureDemoLogin(platform, dataFolder)).password ?? '';
    },
  });
  closers.push(() => server.close());
  return { server, password };
};

const loggedIn = async ({ url }: Server, password: string): Promise<string> => {
  const answer = await fetch(`${url}/api/user/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'demo@example.com', password }),
  });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  return accessToken;
};

describe('the server on one machine', () => {
  it('answers on its health path as soon as it is started', async () => {
    const { server } = await started(await newFolder());
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok' });
  });

  it('lets the demo user in, as admin, and others not', async () => {
    const { server, password } = await started(await newFolder());
    const authorization = `Bearer ${await loggedIn(server, password)}`;
    const profile = await fetch(`${server.url}/api/user/profile`, { headers: { authorization } });
    expect(await profile.json()).toMatchObject({ email: 'demo@example.com', role: 'admin' });
    expect((await fetch(`${server.url}/api/user/profile`)).status).toBe(401);
  });

  it('pushes prices to a socket as they change', async () => {
    const { server, password } = await started(await newFolder());
    const socket = new WebSocket(server.webSocketUrl, ['bearer', await loggedIn(server, password)]);
    await once(socket, 'open');
    const types: string[] = [];
    const updated = new Promise<void>((resolve) => {
      socket.on('message', (frame) => {
        const messages: { type: string }[] = [JSON.parse(String(frame))].flat();
        types.push(...messages.map(({ type }) => type));
        if (types.includes('update')) resolve();
      });
    });
    // The venue's symbols are known once the first sync has ended.
    const subscribe = () => socket.send(JSON.stringify({ action: 'subscribe', channels: ['prices:sim:BTC/USDT'] }));
    socket.on('message', (frame) => {
      if (String(frame).includes('"refused"')) subscribe();
    });
    subscribe();
    await updated;
    expect(types).toContain('snapshot');
  });

  it('keeps what it knows over a restart', async () => {
    const folder = await newFolder();
    const first = await started(folder);
    await first.server.close();
    const { server } = await started(folder);
    expect(await loggedIn(server, first.password)).toMatch(/^ey/);
  });

  it('says that a data folder is in use', async () => {
    const folder = await newFolder();
    await started(folder);
    await expect(started(folder)).rejects.toMatchObject({ code: 'data-folder-in-use' });
  });

  it('gives the data folder back when its port is taken', async () => {
    const folder = await newFolder();
    const { server } = await started(await newFolder());
    const port = Number(new URL(server.url).port);
    const options = { config: testConfig, dataFolder: folder, host: '127.0.0.1', logger: localLogger('SILENT') };
    await expect(startServer({ ...options, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await started(folder);
  });
});
