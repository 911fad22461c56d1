import { describe, expect, it } from 'vitest';
import { isNetwork, isWithin } from '#shared/platform/addresses';

describe('a network', () => {
  it.each(['203.0.113.7', '10.0.0.0/8', '0.0.0.0/0', '::1', '2001:db8::/32', '::/0', '10.1.2.3/32'])(
    'can be %s',
    (text) => {
      expect(isNetwork(text)).toBe(true);
    },
  );

  it.each([
    '',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    'localhost',
    ' 10.0.0.1',
  ])('can not be "%s"', (text) => {
    expect(isNetwork(text)).toBe(false);
  });

  it.each([
    ['10.200.3.4', '10.0.0.5/8', true],
    ['11.0.0.1', '10.0.0.0/8', false],
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['203.0.113.7', '::/0', false],
    ['', '0.0.0.0/0', false],
  ])('%s in %s: %s', (address, network, expected) => {
    expect(isWithin(address, [network])).toBe(expected);
  });
});
