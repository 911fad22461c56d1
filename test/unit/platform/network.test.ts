import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPublicAddress } from '#shared/platform/addresses';
import { TimedOut, Unavailable } from '#shared/platform/errors';
import { createNetwork } from '#shared/platform/network';
import { httpRecorder } from '../../support/http-recorder.ts';

const patienceMs = 4_000;
const open = createNetwork({ publicOnly: false });

/** A server whose answer begins and never ends. */
const unending = async (beginning: string): Promise<string> => {
  const server = createServer((_, answer) => answer.writeHead(200).write(beginning));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** Resolves every name to the addresses. */
const resolvingTo =
  (...addresses: string[]): LookupFunction =>
  (_, options, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all) callback(null, found);
    else callback(null, addresses[0] ?? '', found[0]?.family);
  };

describe('post', () => {
  it('sends headers and body and gives the status', async () => {
    const server = await httpRecorder({ status: 204 });
    expect(await open.post(`${server.url}/hook?a=1`, { 'x-signature': 't=1' }, '{"price":"1 €"}', patienceMs)).toBe(
      204,
    );
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/hook?a=1',
        headers: { 'x-signature': 't=1', connection: 'close' },
        body: '{"price":"1 €"}',
      },
    ]);
  });

  it('follows no redirect', async () => {
    const server = await httpRecorder({ status: 302, headers: { location: '/elsewhere' } });
    expect(await open.post(server.url, {}, '', patienceMs)).toBe(302);
    expect(server.requests).toHaveLength(1);
  });

  it('does not read an answer without end', async () => {
    const url = await unending('x'.repeat(100_000));
    const start = performance.now();
    expect(await open.post(url, {}, '', patienceMs)).toBe(200);
    expect(performance.now() - start).toBeLessThan(patienceMs / 2);
  });

  it('is timed out when no answer comes', async () => {
    const server = await httpRecorder('hang');
    await expect(open.post(server.url, {}, '', 50)).rejects.toBeInstanceOf(TimedOut);
  });

  it('counts the resolution of the name into the time', async () => {
    const network = createNetwork({ publicOnly: false, lookup: () => {} });
    await expect(network.post('http://example.com', {}, '', 20)).rejects.toBeInstanceOf(TimedOut);
  });

  it('gives the status when only the rest of the answer does not come', async () => {
    expect(await open.post(await unending('x'), {}, '', 50)).toBe(200);
  });

  it.each(['drop', undefined] as const)('is unavailable without a connection that lasts', async (answer) => {
    const url = answer === undefined ? 'http://127.0.0.1:1' : (await httpRecorder(answer)).url;
    await expect(open.post(url, {}, '', patienceMs)).rejects.toBeInstanceOf(Unavailable);
  });

  it.each(['nonsense', 'ftp://example.com', 'file:///etc/passwd'])('refuses %s', async (url) => {
    await expect(open.post(url, {}, '', patienceMs)).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('an address with a login', () => {
  it('is refused', async () => {
    const server = await httpRecorder({});
    const url = server.url.replace('//', '//user:secret@');
    await expect(open.post(url, {}, '', patienceMs)).rejects.toThrow('must not hold a login');
    expect(server.requests).toEqual([]);
  });
});

describe('post to public addresses only', () => {
  const network = createNetwork({ publicOnly: true });
  const notPublic = 'The address is not a public one';

  it.each([
    'https://127.0.0.1',
    'https://127.1',
    'https://0x7f.1',
    'https://2130706433',
    'https://017700000001',
    'https://127.0.0.1.',
    'https://１２７.0.0.1',
    'https://0',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[::ffff:8.8.8.8]',
    'https://[64:ff9b::7f00:1]',
    'https://[2002:7f00:1::]',
    'https://[fd00::1]',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost',
  ])('refuses %s', async (url) => {
    await expect(network.post(url, {}, '', patienceMs)).rejects.toThrow(notPublic);
  });

  it.each(['http://127.1', 'http://example.com'])('refuses %s: it is not https', async (url) => {
    await expect(network.post(url, {}, '', patienceMs)).rejects.toThrow('must begin with https:');
  });

  it.each([[['10.0.0.5']], [['8.8.8.8', '10.0.0.5']], [['::ffff:10.0.0.5']], [['fe80::1']], [[]]])(
    'refuses a name that resolves to %j',
    async (addresses) => {
      const rebound = createNetwork({ publicOnly: true, lookup: resolvingTo(...addresses) });
      await expect(rebound.post('https://example.com', {}, '', patienceMs)).rejects.toThrow(notPublic);
    },
  );

  it('connects to what the name resolved to when that is public', async () => {
    const asked: string[] = [];
    const lookup: LookupFunction = (hostname, _, callback) => {
      asked.push(hostname);
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '');
    };
    const failing = createNetwork({ publicOnly: true, lookup });
    await expect(failing.post('https://example.com', {}, '', patienceMs)).rejects.toThrow("can't be reached");
    expect(asked).toEqual(['example.com']);
  });
});

describe('an address', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2001:4860:4860::8888'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '192.0.0.8',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002::1',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'fec0::1',
    'ff02::1',
    'example.com',
    '',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
