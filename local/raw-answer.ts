import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '#shared/platform/ports';

/** How long a client that got such an answer has to close its side of the connection. */
const lingerMs = 1_000;

/** Answers on a connection that Node's server has let go of, and ends it even where the client does not. */
export const endWithAnswer = (
  socket: Duplex,
  answer: { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: string | Buffer },
  clock: Clock,
): void => {
  const { status, body } = answer;
  const headers = { ...answer.headers, 'content-length': Buffer.byteLength(body), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value).replace(/[\r\n]+/g, ' ')}`);
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  void clock.sleep(lingerMs, closed.signal).then(() => socket.destroy());
};
