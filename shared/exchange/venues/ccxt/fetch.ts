import { VenueError } from '#shared/exchange/errors';
import type { Clock, Network } from '#shared/platform/ports';
import { noteAnswer } from './throttle.ts';

/** Largest answer of a venue that is read. Binance lists its markets in some 20 MB. */
const bodyBytesMax = 64 * 1024 * 1024;
const withoutBody: ReadonlySet<number> = new Set([204, 205, 304]);

/** The network as one venue's client sees it. */
export interface VenueFetch {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds left of the wait that the venue's last refusal named; undefined where it named none or it is over. */
  retryAfterMs(): number | undefined;
}

/**
 * `fetch` for one venue. Every request goes through here, whichever part of the venue's API it is for. The answer is
 * read to its end before it is handed on, so that the caller's timeout covers the body too.
 * @param originOverride replaces scheme, host and port of every URL; path and query stay
 */
export const venueFetch = (
  venue: string,
  network: Pick<Network, 'fetch'>,
  clock: Pick<Clock, 'now'>,
  originOverride: string | undefined,
): VenueFetch => {
  if (originOverride !== undefined && !URL.canParse(originOverride)) {
    throw new VenueError(venue, 'not-supported', `The address configured for ${venue} is not a URL`);
  }
  const origin = originOverride === undefined ? undefined : new URL(originOverride).origin;
  let askAgainAt = 0;

  return {
    fetch: async (url, init) => {
      const address = origin === undefined ? url : url.replace(/^[a-z]+:\/\/[^/?#]+/i, origin);
      const response = await network.fetch(address, { ...init, redirect: 'error' });
      const now = clock.now();
      const retryAt = response.ok ? undefined : retryTime(response.headers.get('retry-after'), now);
      askAgainAt = retryAt ?? askAgainAt;
      noteAnswer(response, retryAt === undefined ? undefined : Math.max(0, retryAt - now));
      const { status, statusText, headers } = response;
      const body = await readBody(venue, response);
      return new Response(withoutBody.has(status) ? null : body, { status, statusText, headers });
    },
    retryAfterMs: () => {
      const remainingMs = askAgainAt - clock.now();
      return remainingMs > 0 ? remainingMs : undefined;
    },
  };
};

/** The time that a Retry-After header names (RFC 9110 10.2.3: seconds or a date), epoch ms. */
const retryTime = (header: string | null, now: number): number | undefined => {
  if (header === null) return undefined;
  const time = /^\d{1,9}$/.test(header) ? now + Number(header) * 1000 : Date.parse(header);
  return Number.isNaN(time) ? undefined : time;
};

const readBody = async (venue: string, response: Response): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) throw new VenueError(venue, 'retryable', `${venue} gave an answer that is too large`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
