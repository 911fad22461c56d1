/** HTTP as bytes on a connection, for requests that no well-behaved client sends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawReply {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends the pieces as they are and reads the answer until the connection ends. */
export const exchange = async (url: string, ...pieces: readonly (string | Uint8Array)[]): Promise<RawReply> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  for (const piece of pieces) socket.write(piece);
  const [head = '', ...rest] = (await text(socket)).split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(' ')[1]), headers: new Map(headers), body: rest.join('\r\n\r\n') };
};

/** The head of a request that wants the connection closed after the answer. */
export const head = (method: string, target: string, ...headers: readonly string[]): string =>
  [`${method} ${target} HTTP/1.1`, 'host: localhost', 'connection: close', ...headers, '', ''].join('\r\n');

/** A request with a body of known length. */
export const request = (
  method: string,
  target: string,
  body: string | Uint8Array,
  ...headers: readonly string[]
): [string, string | Uint8Array] => [
  head(method, target, `content-length: ${Buffer.byteLength(body)}`, ...headers),
  body,
];
