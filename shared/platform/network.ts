import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import { TimedOut, Unavailable } from './errors.ts';
import type { Network } from './ports.ts';

/** How much of an answer is read and thrown away, so that its sender can finish in peace. */
const answerBytesMax = 64 * 1024;

/**
 * The network of this machine.
 * @param options `publicOnly`: POST only by https and only to public addresses, whatever a name resolves to.
 *   `lookup`: how names are resolved, the system's way by default
 */
export const createNetwork = (options: { readonly publicOnly: boolean; readonly lookup?: LookupFunction }): Network => {
  const lookup = options.lookup ?? systemLookup;
  const target: Target = options.publicOnly
    ? { protocols: ['https:'], allows: isPublicAddress, lookup: publicLookup(lookup) }
    : { protocols: ['https:', 'http:'], allows: () => true, lookup };
  return {
    fetch: globalThis.fetch,
    post: async (url, headers, body, timeoutMs) => {
      const allowed = allowedUrl(url, target);
      // The modules are loaded with the first call: they cost milliseconds of a start that mostly does without.
      const { request } = allowed.protocol === 'https:' ? await import('node:https') : await import('node:http');
      const payload = Buffer.from(body);
      const requestOptions: RequestOptions = {
        method: 'POST',
        headers: { ...headers, 'content-length': payload.byteLength },
        // A new connection: none is reused, and none is left open.
        agent: false,
        lookup: target.lookup,
      };
      return exchanged((onAnswer) => request(allowed, requestOptions, onAnswer).end(payload), timeoutMs);
    },
  };
};

interface Target {
  readonly protocols: readonly string[];
  readonly allows: (address: string) => boolean;
  readonly lookup: LookupFunction;
}

/** The URL, if it may be called as far as is known before its name is resolved. The URL parser knows every spelling of an address. */
const allowedUrl = (text: string, { protocols, allows }: Target): URL => {
  const url = URL.parse(text);
  if (url === null) throw new Unavailable('The address is not a URL');
  if (!protocols.includes(url.protocol)) throw new Unavailable(`The address must begin with ${protocols.join(' or ')}`);
  if (url.username !== '' || url.password !== '') throw new Unavailable('The address must not hold a login');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !allows(host)) throw new Unavailable(notPublic);
  return url;
};

const notPublic = 'The address is not a public one';

/** A lookup that fails as soon as one of a name's addresses is not public. The socket connects only to the addresses it returns. */
const publicLookup =
  (lookup: LookupFunction): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      const addresses: LookupAddress[] = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(new Unavailable(notPublic), '');
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

/** Makes a request and gives the status of its answer, with one time limit on all of it. */
const exchanged = (
  send: (onAnswer: (answer: IncomingMessage) => void) => ReturnType<typeof import('node:http').request>,
  timeoutMs: number,
): Promise<number> =>
  new Promise((resolve, reject) => {
    let status: number | undefined;
    let failure: Error | undefined;
    const request = send((answer) => {
      status = answer.statusCode;
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.byteLength;
        if (bytes > answerBytesMax) request.destroy();
      });
      // Once the status is known it makes no difference how the rest of the answer ends.
      answer.on('error', () => {});
    });
    const timer = setTimeout(() => request.destroy(new TimedOut('The address did not answer in time')), timeoutMs);
    request.on('error', (error) => {
      const known = error instanceof TimedOut || error instanceof Unavailable;
      failure = known ? error : new Unavailable("The address can't be reached", { cause: error });
    });
    request.on('close', () => {
      clearTimeout(timer);
      if (status === undefined) reject(failure ?? new Unavailable('The address did not answer'));
      else resolve(status);
    });
  });
