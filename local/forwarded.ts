import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** The networks that reverse proxies in front of this server send from. */
export class ProxyNetworks {
  readonly #networks = new BlockList();

  private constructor(networks: readonly Network[]) {
    for (const { address, prefixLength, family } of networks) this.#networks.addSubnet(address, prefixLength, family);
  }

  /**
   * @param text networks in CIDR notation or single addresses, separated by commas: `10.0.0.0/8,::1`
   * @returns undefined where one of them is no network, or is the whole internet
   */
  static parse(text: string): ProxyNetworks | undefined {
    const networks = text.split(',').map((part) => networkOf(part.trim()));
    return networks.every((network) => network !== undefined) ? new ProxyNetworks(networks) : undefined;
  }

  /** @param address without the notation for IPv4 over IPv6 */
  contains(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#networks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address of the client of a request that came through these proxies. Each proxy adds the address that it was called
   * from at the right, so only addresses up to the first that is no proxy's are known; what is left of it is the client's claim.
   * @param peer the sender of the connection, one of the proxies
   * @param forwardedFor the header X-Forwarded-For
   */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    let client = peer;
    for (const hop of (forwardedFor ?? '').split(',').toReversed()) {
      const address = addressOf(hop.trim());
      if (address === undefined) return client;
      client = address;
      if (!this.contains(address)) return client;
    }
    return client;
  }
}

interface Network {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 'ipv4' | 'ipv6';
}

const networkOf = (text: string): Network | undefined => {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const longest = family === 6 ? 128 : 32;
  const prefixLength = length === undefined ? longest : /^\d{1,3}$/.test(length) ? Number(length) : 0;
  if (prefixLength < 1 || prefixLength > longest) return undefined;
  return { address, prefixLength, family: family === 6 ? 'ipv6' : 'ipv4' };
};

/** An address as proxies write it, some of them with a port; undefined for anything else, such as `unknown`. */
const addressOf = (hop: string): string | undefined => {
  const address = (/^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop).toLowerCase();
  return isIP(address) === 0 ? undefined : plainAddress(address);
};

/** An IPv4 address in its own notation, also where the socket speaks IPv6. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** The header by which a request shows that a proxy passed it on; undefined where none does. */
export const proxyHeaderOf = (headers: IncomingHttpHeaders): string | undefined =>
  Object.keys(headers).find(
    (name) => name === 'forwarded' || name === 'via' || name === 'x-real-ip' || name.startsWith('x-forwarded-'),
  );
