/** A person's program that listens to the WebSocket API. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from './until.ts';

export interface SocketMessage {
  readonly type: string;
  readonly channel?: string;
  readonly seq?: number;
  readonly data?: unknown;
  readonly channels?: readonly string[];
  readonly refused?: readonly { readonly channel: string; readonly problem: unknown }[];
  readonly problem?: Record<string, unknown>;
}

export class SocketClient {
  /** Every message so far, oldest first; those of one frame one after the other. */
  readonly messages: SocketMessage[] = [];
  /** Resolves with the close code, once everything that was sent before has been read. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('message', (frame) => {
      const messages: SocketMessage[] = [JSON.parse(String(frame))].flat();
      this.messages.push(...messages);
    });
  }

  /** Connects with the token as a subprotocol, or with none where the URL holds it. */
  static async open(url: string, token?: string): Promise<SocketClient> {
    const socket = new WebSocket(url, token === undefined ? [] : ['bearer', token]);
    const client = new SocketClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends an object as JSON, and a string or bytes as they are. */
  send(message: object | string | Uint8Array): void {
    this.#socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Subscribes and waits until that is confirmed. @throws a channel was refused */
  async subscribe(channels: readonly string[], since?: Readonly<Record<string, number>>): Promise<void> {
    this.send({ action: 'subscribe', channels, ...(since === undefined ? {} : { since }) });
    const { refused = [] } = await this.next(`subscribed to ${channels}`, ({ type }) => type === 'subscribed');
    if (refused.length > 0) throw new Error(`Not subscribed: ${JSON.stringify(refused)}`);
  }

  updates(channel: string): SocketMessage[] {
    return this.messages.filter((message) => message.type === 'update' && message.channel === channel);
  }

  /** The first message that is wanted, among those that came or come. */
  async next(what: string, wanted: (message: SocketMessage) => boolean): Promise<SocketMessage> {
    return await until(`a message: ${what}`, () => this.messages.find(wanted));
  }

  end(): void {
    this.#socket.terminate();
  }
}

/** How a handshake ends: `open`, or the status with which it is refused. */
export const handshake = async (url: string, protocols: string[] = []): Promise<'open' | number> =>
  await new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    socket.on('open', () => {
      socket.terminate();
      resolve('open');
    });
    socket.on('unexpected-response', (request, answer) => {
      request.destroy();
      resolve(answer.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
