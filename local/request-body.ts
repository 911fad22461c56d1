import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '#shared/platform/ports';

/** Largest body that is read. Functions have a limit of their own, which is lower. */
export const bodyBytesMax = 256 * 1024;
/** How much of a body that is too large is still taken in, and for how long, so that its sender gets to read the answer. */
const drainBytesMax = 16 * 1024 * 1024;
const drainMs = 5_000;

/** Whether the request came with a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Reads the body of a request that has one. @throws {BodyTooLarge} the rest of it may then still be arriving */
export const readBody = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  if (Number(request.headers['content-length']) > bodyBytesMax) throw new BodyTooLarge('The body is too large');
  return collect(request);
};

/** A body turned out to be too large while it was read. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

const collect = (request: IncomingMessage): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const take = (piece: Buffer): void => {
      bytes += piece.length;
      if (bytes <= bodyBytesMax) {
        pieces.push(piece);
      } else {
        request.pause();
        request.off('data', take);
        reject(new BodyTooLarge('The body is too large'));
      }
    };
    request.on('data', take);
    request.on('end', () => resolve(bytes === 0 ? undefined : Buffer.concat(pieces)));
    request.on('error', reject);
  });

/**
 * Ends an answer whose request still sends its body. A connection that is closed with unread bytes is reset, and the reset
 * may overtake the answer; so the rest is taken in and thrown away, within bounds.
 */
export const endAfterDraining = (request: IncomingMessage, response: ServerResponse, clock: Clock): void => {
  const over = new AbortController();
  let bytes = 0;
  const end = (): void => {
    if (over.signal.aborted) return;
    over.abort();
    response.end();
  };
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > drainBytesMax) end();
  });
  request.on('end', end);
  request.on('close', end);
  request.resume();
  void clock.sleep(drainMs, over.signal).then(end);
};
