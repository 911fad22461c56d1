/** Behind a reverse proxy, everybody comes from the address of this machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProxyNetworks } from '#local/forwarded';
import type { AuditEntry } from '#shared/audit/entry';
import { exchange, type RawReply } from '../../support/raw-http.ts';
import { type ServerHere, startServerHere } from '../../support/server-here.ts';
import { demoPassword } from '../../support/server-process.ts';

const publicUrl = 'https://alphapulse.example.com';
const publicHost = 'host: alphapulse.example.com';

const networksOf = (text: string): ProxyNetworks => {
  const networks = ProxyNetworks.parse(text);
  if (networks === undefined) throw new Error(`${text} is no list of networks`);
  return networks;
};

const get = ({ url }: ServerHere, path: string, ...headers: string[]): Promise<RawReply> =>
  exchange(url, [`GET ${path} HTTP/1.1`, 'connection: close', ...headers, '', ''].join('\r\n'));

const handshake = ({ url }: ServerHere, ...headers: string[]): Promise<RawReply> => {
  const upgrade = ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
  return exchange(url, ['GET /ws HTTP/1.1', ...upgrade, key, ...headers, '', ''].join('\r\n'));
};

const post = ({ url }: ServerHere, path: string, body: unknown, ...headers: string[]): Promise<RawReply> => {
  const text = JSON.stringify(body);
  const own = ['connection: close', 'content-type: application/json', `content-length: ${Buffer.byteLength(text)}`];
  return exchange(url, [`POST ${path} HTTP/1.1`, ...own, ...headers, '', text].join('\r\n'));
};

const detailOf = ({ body }: RawReply): string => (JSON.parse(body) as { detail: string }).detail;

describe('a proxy that nobody announced', () => {
  let server: ServerHere;
  beforeAll(async () => {
    server = await startServerHere();
  });
  afterAll(() => server?.end());

  it.each([
    'forwarded: for=203.0.113.9',
    'x-forwarded-for: 203.0.113.9',
    'x-forwarded-for: ',
    'X-Forwarded-Host: evil.example.com',
    'x-forwarded-proto: https',
    'via: 1.1 proxy',
  ])('passes nothing on that has %s, and learns the option', async (header) => {
    for (const path of ['/health', '/', '/outbox', '/api/user/profile']) {
      const reply = await get(server, path, 'host: localhost', header);
      expect([path, reply.status, detailOf(reply)]).toEqual([
        path,
        421,
        expect.stringContaining('--behind-proxy CIDR'),
      ]);
    }
    const reply = await handshake(server, 'host: localhost', header);
    expect([reply.status, detailOf(reply)]).toEqual([421, expect.stringContaining('--behind-proxy CIDR')]);
  });

  it('passes nothing on under a name of its own', async () => {
    expect((await get(server, '/health', 'host: alphapulse.example.com')).status).toBe(421);
  });

  it.each(['GET /health', 'GET /ws'])('can not hide a name behind another one: %s', async (line) => {
    const reply = line.endsWith('/ws')
      ? await handshake(server, 'host: localhost', 'host: evil.example.com')
      : await get(server, '/health', 'host: localhost', 'host: evil.example.com');
    expect([reply.status, detailOf(reply)]).toEqual([400, 'The request has two Host headers.']);
  });
});

describe('a proxy that was announced', () => {
  let server: ServerHere;
  beforeAll(async () => {
    server = await startServerHere(
      { users: { registration: 'first-user' }, http: { strictTransport: true } },
      { proxy: { networks: networksOf('127.0.0.1,10.0.0.0/8'), publicUrl } },
    );
  });
  afterAll(() => server?.end());

  /** Where a login came from that was sent with these headers. */
  const sourceOfLogin = async (...headers: string[]): Promise<string | null | undefined> => {
    const login = { email: 'demo@example.com', password: await demoPassword(server.dataFolder) };
    const reply = await post(server, '/api/user/login', login, publicHost, ...headers);
    const { accessToken } = JSON.parse(reply.body) as { accessToken: string };
    const trail = await get(
      server,
      '/api/user/audit?type=auth.login&limit=1',
      publicHost,
      `authorization: Bearer ${accessToken}`,
    );
    const [entry] = (JSON.parse(trail.body) as { items: AuditEntry[] }).items;
    return entry?.source?.address;
  };

  it('tells where its clients are', async () => {
    expect(await sourceOfLogin('x-forwarded-for: 203.0.113.9')).toBe('203.0.113.9');
    expect(await sourceOfLogin('x-forwarded-for: 203.0.113.9, 10.0.0.7')).toBe('203.0.113.9');
  });

  it('is not believed what its clients claim', async () => {
    expect(await sourceOfLogin('x-forwarded-for: 127.0.0.1, 203.0.113.9')).toBe('203.0.113.9');
    expect(await sourceOfLogin('x-forwarded-for: 127.0.0.1', 'x-forwarded-for: 203.0.113.9')).toBe('203.0.113.9');
    expect(await sourceOfLogin('forwarded: for=198.51.100.1', 'x-forwarded-for: 203.0.113.9')).toBe('203.0.113.9');
  });

  it.each(['localhost', '127.0.0.1', 'evil.example.com', 'alphapulse.example.com:8443', 'alphapulse.example.com.'])(
    'is answered by the name of the public URL only, not by %s',
    async (host) => {
      const reply = await get(server, '/health', `host: ${host}`, 'x-forwarded-for: 203.0.113.9');
      expect([reply.status, detailOf(reply)]).toEqual([421, expect.stringContaining(publicUrl)]);
      expect((await handshake(server, `host: ${host}`)).status).toBe(421);
    },
  );

  it.each(['alphapulse.example.com', 'AlphaPulse.Example.com', 'alphapulse.example.com:443'])(
    'is answered by the name %s',
    async (host) => {
      const reply = await get(server, '/health', `host: ${host}`);
      expect([reply.status, reply.headers.get('strict-transport-security')]).toEqual([200, expect.any(String)]);
    },
  );

  it('lets nobody register once there is a user', async () => {
    const stranger = { email: 'eve@example.com', password: 'correct horse battery' };
    const reply = await post(server, '/api/user/register', stranger, publicHost, 'x-forwarded-for: 203.0.113.9');
    expect(reply.status).toBe(403);
  });

  it('gives nobody the outbox without its token, which its address at the public URL has', async () => {
    expect((await get(server, '/outbox', publicHost)).status).toBe(403);
    const { origin, pathname, search } = new URL(server.outboxUrl ?? '');
    expect(origin).toBe(publicUrl);
    expect((await get(server, pathname + search, publicHost)).status).toBe(200);
  });
});

it('a sender outside the networks of the proxies can not say that it is one', async () => {
  const proxy = { networks: networksOf('10.0.0.0/8'), publicUrl };
  const server = await startServerHere({}, { proxy });
  try {
    const reply = await get(server, '/health', publicHost, 'x-forwarded-for: 10.0.0.1');
    expect([reply.status, detailOf(reply)]).toEqual([421, expect.stringContaining('not in the networks')]);
    expect((await get(server, '/health', publicHost)).status).toBe(200);
  } finally {
    await server.end();
  }
});
