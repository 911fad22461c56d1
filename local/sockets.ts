import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@aws-lambda-powertools/logger';
import { WebSocketServer } from 'ws';
import { HttpProblem } from '#functions/http/problem';
import { securityHeaders } from '#functions/http/security-headers';
import { Unavailable } from '#shared/platform/errors';
import type { Clock, Ids } from '#shared/platform/ports';
import { Connection } from './connection.ts';
import type { FrontDoor } from './front-door.ts';
import { type Answer, answerOf, problemAnswer, statusAnswer } from './http-answer.ts';
import type { Invoke } from './invoke.ts';
import { endWithAnswer } from './raw-answer.ts';
import { handshakeParts, socketEvent, socketPath } from './socket-event.ts';
import type { WsPush } from './ws-push.ts';

/** API Gateway's limit of a client's message. */
const messageBytesMax = 128 * 1024;
/** Open connections and handshakes at the same time. */
const connectionsMax = 5_000;
const heartbeatMs = 30_000;
/** How long a client has to answer the closing handshake when the server stops. */
const goodbyeMs = 1_000;

export interface SocketsOptions {
  readonly invoke: Invoke;
  readonly push: WsPush;
  readonly door: FrontDoor;
  /** Whether browsers are told to use TLS only. */
  readonly strictTransport: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Pick<Logger, 'error'>;
}

/** The WebSocket API on one machine: invokes the socket function with connections and messages as API Gateway does. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #server: WebSocketServer;
  /** Each with a promise that resolves when it has ended. */
  readonly #connections = new Map<Connection, Promise<void>>();
  /** The subprotocol that the handler chose, by handshake. */
  readonly #protocols = new WeakMap<IncomingMessage, string>();
  readonly #stopped = new AbortController();
  #handshakes = 0;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: messageBytesMax,
      handleProtocols: (_offered, handshake) => this.#protocols.get(handshake) ?? false,
    });
    void this.#watch();
  }

  /** Handles an upgrade request. Never rejects. */
  async upgrade(handshake: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { ids, clock, invoke, logger, door } = this.#options;
    const requestId = ids.next();
    const [path = ''] = (handshake.url ?? '').split('?', 1);
    socket.on('error', () => socket.destroy());
    this.#handshakes++;
    try {
      const admission = door.admit(handshake);
      if ('refusal' in admission) {
        const misdirected = statusAnswer(421, 'Misdirected Request', admission.refusal, path, requestId);
        return this.#refuse(socket, misdirected, requestId);
      }
      const refusal = this.#refusal(path, requestId);
      if (refusal !== undefined) return this.#refuse(socket, refusal, requestId);
      const { clientAddress } = admission;
      const facts = { connectionId: ids.next(), connectedAt: clock.now(), handshake, clientAddress };
      const event = socketEvent(facts, { routeKey: '$connect', eventType: 'CONNECT', requestId, at: clock.now() });
      const answer = answerOf(await invoke({ ...event, ...handshakeParts(handshake) }));
      if (answer.status !== 200) return this.#refuse(socket, answer, requestId);
      const connection = new Connection(facts, this.#options);
      if (socket.destroyed || this.#stopped.signal.aborted) {
        socket.destroy();
        return await connection.disconnected(1006);
      }
      const protocol = answer.headers['sec-websocket-protocol'];
      if (typeof protocol === 'string') this.#protocols.set(handshake, protocol);
      this.#accept(connection, handshake, socket, head);
    } catch (error) {
      if (!(error instanceof HttpProblem)) {
        logger.error('A WebSocket handshake failed', { requestId, error: error as Error });
      }
      this.#refuse(socket, problemAnswer(error, path, requestId), requestId);
    } finally {
      this.#handshakes--;
    }
  }

  /** Says goodbye to every client; resolves when the connections are closed and the function has handled their ends. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(
      [...this.#connections].map(async ([connection, ended]) => {
        await connection.goodbye(goodbyeMs);
        await ended;
      }),
    );
  }

  #accept(connection: Connection, handshake: IncomingMessage, socket: Duplex, head: Buffer): void {
    let opened = false;
    this.#server.handleUpgrade(handshake, socket, head, (webSocket) => {
      opened = true;
      const ended = connection.open(webSocket).finally(() => this.#connections.delete(connection));
      this.#connections.set(connection, ended);
    });
    // ws answers a handshake that it refuses.
    if (!opened) void connection.disconnected(1006);
  }

  #refusal(path: string, requestId: string): Answer | undefined {
    if (path !== socketPath) {
      return problemAnswer(new HttpProblem('not-found', `WebSockets are at ${socketPath}.`), path, requestId);
    }
    if (this.#stopped.signal.aborted || this.#connections.size + this.#handshakes > connectionsMax) {
      return problemAnswer(new Unavailable('There is no room for another connection.'), path, requestId);
    }
    return undefined;
  }

  async #watch(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await clock.sleep(heartbeatMs, signal);
      if (!signal.aborted) for (const connection of this.#connections.keys()) connection.check(clock.now());
    }
  }

  /** Answers a handshake with a plain HTTP answer. */
  #refuse(socket: Duplex, { status, headers, body }: Answer, requestId: string): void {
    const all = { ...securityHeaders(this.#options), ...headers, 'x-request-id': requestId };
    endWithAnswer(socket, { status, headers: all, body }, this.#options.clock);
  }
}
