import { describe, expect, it } from 'vitest';
import { ProxyNetworks, proxyHeaderOf } from '#local/forwarded';

const networks = (text: string): ProxyNetworks => {
  const parsed = ProxyNetworks.parse(text);
  if (parsed === undefined) throw new Error(`${text} is no list of networks`);
  return parsed;
};

describe('the networks of proxies', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['10.0.0.0/8, fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['10.0.0.0/8', '', false],
  ])('%s and %s: %s', (text, address, expected) => expect(networks(text).contains(address)).toBe(expected));

  it.each(['', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', 'proxy.example.com', '0.0.0.0/0', '::/0', '10.0.0.1,'])(
    'are not %j',
    (text) => expect(ProxyNetworks.parse(text)).toBeUndefined(),
  );
});

describe('the client of a request through proxies of 10.0.0.0/8', () => {
  it.each([
    ['that of the header', '203.0.113.9', '203.0.113.9'],
    ['the first from the right that is no proxy', '198.51.100.1, 203.0.113.9, 10.0.0.7', '203.0.113.9'],
    ['never what the client claims at the left', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['the outermost proxy where all are proxies', '10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['the last proxy before what is no address', '203.0.113.9, unknown, 10.0.0.8', '10.0.0.8'],
    ['the sender without the header', undefined, '10.0.0.1'],
    ['the sender where the header is empty', '', '10.0.0.1'],
    ['read without its port', '203.0.113.9:4711', '203.0.113.9'],
    ['read without its port and brackets', '[2001:DB8::1]:4711', '2001:db8::1'],
    ['an IPv4 address in its own notation', '::ffff:203.0.113.9', '203.0.113.9'],
  ])('is %s', (_kind, forwardedFor, expected) =>
    expect(networks('10.0.0.0/8').clientOf('10.0.0.1', forwardedFor)).toBe(expected),
  );
});

it.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-anything', 'x-real-ip'])(
  'the header %s shows a proxy',
  (name) => expect(proxyHeaderOf({ host: 'localhost', [name]: 'x' })).toBe(name),
);

it.each(['host', 'origin', 'x-forward', 'vias'])('the header %s shows none', (name) =>
  expect(proxyHeaderOf({ [name]: 'x' })).toBeUndefined(),
);
