import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, call } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { handshake, SocketClient } from '../support/socket-client.ts';

let server: Awaited<ReturnType<typeof startServerHere>>;
let client: ApiClient;
beforeAll(async () => {
  server = await startServerHere();
  client = await ApiClient.of(server, server.dataFolder);
});
afterAll(async () => {
  await server?.end();
});

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The token of a client with its claims or header changed, and signed anew by whoever made it up. */
const forgeries: readonly (readonly [kind: string, forge: (token: string) => string | Promise<string>])[] = [
  ['nothing', () => ''],
  ['words', () => 'let me in please'],
  ['a very long word', () => 'x'.repeat(8_000)],
  [
    'the same claims signed by another key',
    async (token) => {
      const { alg = '', ...header } = decodeProtectedHeader(token);
      const { privateKey } = await generateKeyPair(alg);
      return await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg, ...header }).sign(privateKey);
    },
  ],
  ['no signature', (token) => `${part({ ...decodeProtectedHeader(token), alg: 'none' })}.${token.split('.')[1]}.`],
  [
    'a longer life',
    (token) => {
      const [header, , signature] = token.split('.');
      return `${header}.${part({ ...decodeJwt(token), exp: 9_999_999_999 })}.${signature}`;
    },
  ],
  [
    'another key id',
    async (token) => {
      const { privateKey } = await generateKeyPair('EdDSA');
      const header = { ...decodeProtectedHeader(token), alg: 'EdDSA', kid: 'another' };
      return await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey);
    },
  ],
  [
    'the id of a session that is none',
    (token) => {
      const [header, , signature] = token.split('.');
      return `${header}.${part({ ...decodeJwt(token), sid: 'another' })}.${signature}`;
    },
  ],
  [
    'a signature with the published key as a password',
    async (token) => {
      const header = { ...decodeProtectedHeader(token), alg: 'HS256' };
      return await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(await publishedKey());
    },
  ],
];

/** The public key as everybody can read it. */
const publishedKey = async (): Promise<Uint8Array> => {
  const { body } = await call(`${server.url}/.well-known/jwks.json`);
  const [key] = (body as { keys: JsonWebKey[] }).keys;
  return createPublicKey({ key: key ?? {}, format: 'jwk' }).export({ format: 'der', type: 'spki' });
};

const statusWith = async (token: string): Promise<number> =>
  (await call(`${server.url}/api/alerts/list`, { headers: { authorization: `Bearer ${token}` } })).status;

/** A subprotocol can't hold everything; the query can. */
const socketWith = (token: string) => handshake(`${server.webSocketUrl}?token=${encodeURIComponent(token)}`);

describe.each(forgeries)('a token of %s', (_kind, forge) => {
  it('is refused over HTTP', async () => {
    expect(await statusWith(await forge(client.token))).toBe(401);
  });

  it('is refused when a socket connects', async () => {
    expect(await socketWith(await forge(client.token))).toBe(401);
  });
});

describe('a socket', () => {
  it('is refused without a token', async () => {
    expect(await handshake(server.webSocketUrl)).toBe(401);
  });

  it('takes its token as a subprotocol', async () => {
    expect(await handshake(server.webSocketUrl, ['bearer', client.token])).toBe('open');
  });

  it('takes its token in the query', async () => {
    expect(await socketWith(client.token)).toBe('open');
  });
});

describe('a token that has expired', () => {
  it('is refused everywhere, although it was good a moment ago', async () => {
    expect([await statusWith(client.token), await socketWith(client.token)]).toEqual([200, 'open']);
    server.clock.leap(3_600_000);
    expect([await statusWith(client.token), await socketWith(client.token)]).toEqual([401, 401]);
    client = await ApiClient.of(server, server.dataFolder);
    expect(await statusWith(client.token)).toBe(200);
  });
});

describe('a session that ends', () => {
  it('takes its token along at once, and hangs up its sockets', async () => {
    const other = await ApiClient.of(server, server.dataFolder);
    const socket = await SocketClient.open(`${server.webSocketUrl}?token=${encodeURIComponent(other.token)}`);
    expect((await client.send('DELETE', `/api/user/sessions/${String(decodeJwt(other.token).sid)}`)).status).toBe(204);
    expect(await socket.closed).toBe(1000);
    expect([await statusWith(other.token), await socketWith(other.token)]).toEqual([401, 401]);
    expect(await statusWith(client.token)).toBe(200);
  });
});
