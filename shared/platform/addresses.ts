import { BlockList, isIP } from 'node:net';

/** Special-purpose IPv4 blocks (IANA registry, RFC 6890), 6to4 relays, multicast and reserved space. */
const specialIpv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Global unicast is all that is public in IPv6; mapped, NAT64, unique local, link-local and multicast lie outside. */
const globalIpv6 = ['2000::', 3] as const;

/** Within global unicast: protocol assignments with Teredo and ORCHID, documentation, 6to4. */
const specialIpv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const listOf = (subnets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList();
  for (const [network, prefixBits] of subnets) list.addSubnet(network, prefixBits, family);
  return list;
};

const notPublicIpv4 = listOf(specialIpv4, 'ipv4');
const publicIpv6 = listOf([globalIpv6], 'ipv6');
const notPublicIpv6 = listOf(specialIpv6, 'ipv6');

const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** A customer of an IPv6 provider has at least this much of the address to themselves (RFC 6177). */
const customerGroups = 4;

/**
 * The part of an address that identifies a client: an IPv4 address, or the /64 of an IPv6 address, within which
 * a client can choose any. @returns undefined for what is no address
 */
export const networkOf = (address: string): string | undefined => {
  const plain = IPV4_MAPPED.exec(address)?.[1] ?? address;
  const family = isIP(plain);
  if (family !== 6) return family === 4 ? plain : undefined;
  const [before = '', after] = plain.replace(/%.*$/, '').split('::');
  const head = before === '' ? [] : before.split(':');
  // `::` is as many zeros as fit; the groups after it are in the other half, or fill up this one.
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const tailGroups = tail.length + (tail.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = after === undefined ? 0 : 8 - head.length - tailGroups;
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  const network = groups.slice(0, customerGroups).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
};

/**
 * The /56 of an IPv6 address: what providers give to a home (RFC 6177), which holds 256 of the networks of {@link networkOf}.
 * @returns undefined for what is no IPv6 address
 */
export const siteOf = (address: string): string | undefined => {
  const network = networkOf(address);
  if (network === undefined || !network.includes('::/64')) return undefined;
  const [first, second, third, fourth = '0'] = network.replace('::/64', '').split(':');
  // The last group is halved: its second byte numbers the networks of the site.
  const half = (Number.parseInt(fourth, 16) & 0xff00).toString(16);
  return `${first}:${second}:${third}:${half}::/56`;
};

/** Whether an IP address can belong to a machine on the open internet. What is not an address is not public. */
export const isPublicAddress = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !notPublicIpv4.check(address, 'ipv4');
    case 6:
      return !address.includes('%') && publicIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6');
    default:
      return false;
  }
};

/** The length of a prefix in a CIDR block. */
const PREFIX = /^(0|[1-9]\d{0,2})$/;

/** Whether a text names an IP address or a CIDR block. An IPv4 address is written as one; an address of one link alone names no place. */
export const isNetwork = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%') || IPV4_MAPPED.test(address)) return false;
  return prefix === undefined || (PREFIX.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
};

/** Whether an address lies in one of these networks, each an IP address or a CIDR block. What is no address lies nowhere. */
export const isWithin = (address: string, networks: readonly string[]): boolean => {
  const plain = (IPV4_MAPPED.exec(address)?.[1] ?? address).replace(/%.*$/, '');
  if (isIP(plain) === 0) return false;
  const family = familyOf(plain);
  // Blocks of the other family are left out: Node would find an IPv4 address in those of IPv6 as its mapped one.
  const blocks = networks.map((network) => network.split('/')).filter(([base = '']) => familyOf(base) === family);
  const whole = family === 'ipv4' ? 32 : 128;
  const subnets = blocks.map(([base = '', prefix]) => [base, Number(prefix ?? whole)] as const);
  return listOf(subnets, family).check(plain, family);
};

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
