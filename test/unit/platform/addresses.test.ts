import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, networkOf, siteOf } from '#shared/platform/addresses';

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1::4:5:6:7', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each(['', 'example.com', '192.0.2', '2001:db8::1::2', 'unknown', '192.0.2.7, 198.51.100.1'])(
    'of %j is none',
    (text) => {
      expect(networkOf(text)).toBeUndefined();
    },
  );

  it('is one for all addresses of a /64, however they are written', async () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
    await fc.assert(
      fc.property(
        fc.array(group, { minLength: 4, maxLength: 4 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        (net, host) => {
          const plain = networkOf([...net, ...host].join(':'));
          expect(networkOf([...net, ...host].map((part) => part.padStart(4, '0').toUpperCase()).join(':'))).toBe(plain);
          expect(plain).toBe(networkOf(`${net.join(':')}::`));
        },
      ),
    );
  });
});

describe('an IPv4 address within an IPv6 address', () => {
  it('is never public, as what it leads to depends on the network', async () => {
    const prefixes = ['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'];
    await fc.assert(
      fc.property(fc.constantFrom(...prefixes), fc.ipV4(), (prefix, address) => {
        expect(isPublicAddress(`${prefix}${address}`)).toBe(false);
      }),
    );
  });
});

describe('the site of an address', () => {
  it.each([
    ['2001:db8:1:abcd::5', '2001:db8:1:ab00::/56'],
    ['2001:db8:1:ab00::5', '2001:db8:1:ab00::/56'],
    ['2001:db8::1', '2001:db8:0:0::/56'],
    ['203.0.113.7', undefined],
    ['::ffff:203.0.113.7', undefined],
    ['nowhere', undefined],
  ])('%s is %s', (address, site) => {
    expect(siteOf(address)).toBe(site);
  });
});
