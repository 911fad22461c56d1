import { describe, expect, it } from 'vitest';
import { isFromHere } from '#local/host-check';

const fromHere = (remoteAddress: string | undefined, localAddress: string, host = 'localhost:3000') =>
  isFromHere({ remoteAddress, localAddress }, host);

describe('a request comes from this machine', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', 'localhost:3000'],
    ['::1', '::1', '[::1]:3000'],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', '127.0.0.1'],
    ['192.168.1.5', '192.168.1.5', '192.168.1.5:3000'],
    ['::ffff:192.168.1.5', '::ffff:192.168.1.5', '192.168.1.5:3000'],
    ['2001:db8::5', '2001:db8::5', '[2001:db8::5]:3000'],
  ])('from %s to %s by the name %s', (remote, local, host) => {
    expect(fromHere(remote, local, host)).toBe(true);
  });

  it.each([
    ['192.168.1.9', '192.168.1.5', '192.168.1.5:3000'],
    ['192.168.1.9', '192.168.1.5', 'localhost:3000'],
    ['::ffff:10.0.0.1', '::ffff:127.0.0.1', 'localhost'],
    ['2001:db8::9', '2001:db8::5', '[2001:db8::5]:3000'],
    [undefined, '127.0.0.1', 'localhost'],
  ])('but not from %s to %s by the name %s', (remote, local, host) => {
    expect(fromHere(remote, local, host)).toBe(false);
  });

  it.each(['evil.example.com', 'localhost.evil.example.com', ''])('but not by the name %j of a page', (host) => {
    expect(fromHere('127.0.0.1', '127.0.0.1', host)).toBe(false);
  });
});
