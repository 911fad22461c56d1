import type { Logger } from '@aws-lambda-powertools/logger';
import { type RawData, WebSocket } from 'ws';
import { problemOf } from '#functions/http/problem';
import type { Clock, Ids } from '#shared/platform/ports';
import type { Invoke } from './invoke.ts';
import { type ConnectionFacts, type EventFacts, socketEvent, socketPath } from './socket-event.ts';
import type { WsPush } from './ws-push.ts';

/** Messages of one connection that may be pending while one is handled. */
const pendingMessagesMax = 32;
/** Limits of API Gateway's WebSocket APIs. */
const idleMs = 10 * 60_000;
/** How long before it is closed for being idle a client hears of it; any message keeps the connection. */
const idleNoticeMs = 60_000;
const connectionMs = 2 * 3_600_000;

/** Close codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

const goodbyeFor = (reason: 'shutdown' | 'idle'): string =>
  JSON.stringify({ type: 'goodbye', reason, reconnect: true });

export interface ConnectionParts {
  readonly invoke: Invoke;
  readonly push: WsPush;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Pick<Logger, 'error'>;
}

/** One WebSocket connection: hands its messages to the function one after the other, and finally its end. */
export class Connection {
  readonly #facts: ConnectionFacts;
  readonly #parts: ConnectionParts;
  #socket: WebSocket | undefined;
  #pending: { readonly body: string; readonly base64: boolean }[] = [];
  #handling: Promise<void> | undefined;
  #lastMessageAt: number;
  #idleNoticeSent = false;
  #answeredPing = true;

  constructor(facts: ConnectionFacts, parts: ConnectionParts) {
    this.#facts = facts;
    this.#parts = parts;
    this.#lastMessageAt = facts.connectedAt;
  }

  /** Resolves when the connection has ended and the function has handled its end. */
  async open(socket: WebSocket): Promise<void> {
    const { push } = this.#parts;
    const { connectionId } = this.#facts;
    this.#socket = socket;
    socket.on('message', (message, binary) => this.#take(message, binary));
    socket.on('pong', () => {
      this.#answeredPing = true;
    });
    // After an error ws closes the connection with the code that fits.
    socket.on('error', () => undefined);
    push.add(connectionId, socket);
    const code = await new Promise<number>((resolve) => socket.once('close', resolve));
    push.remove(connectionId);
    this.#pending = [];
    await this.#handling;
    await this.disconnected(code);
  }

  /** Has the function handle the end of the connection. */
  async disconnected(code: number): Promise<void> {
    const event = this.#event('$disconnect', 'DISCONNECT');
    const requestContext = { ...event.requestContext, disconnectStatusCode: code, disconnectReason: '' };
    try {
      await this.#parts.invoke({ ...event, requestContext });
    } catch (error) {
      this.#logFailure('The end of a connection could not be handled', error);
    }
  }

  /** Closes a connection that is idle, too old or dead, and pings any other. @param now epoch ms */
  check(now: number): void {
    const idleSinceMs = now - this.#lastMessageAt;
    const isTooOld = now - this.#facts.connectedAt >= connectionMs;
    if (isTooOld || idleSinceMs >= idleMs) {
      this.#socket?.close(GOING_AWAY);
      return;
    }
    if (idleSinceMs >= idleMs - idleNoticeMs && !this.#idleNoticeSent) {
      this.#idleNoticeSent = true;
      this.#send(goodbyeFor('idle'));
    }
    if (!this.#answeredPing) {
      this.#socket?.terminate();
    } else if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#answeredPing = false;
      this.#socket.ping();
    }
  }

  /** Says goodbye and closes; a client that does not answer within `ms` is cut off. Resolves when the connection has ended. */
  async goodbye(ms: number): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    if (socket.readyState === WebSocket.OPEN) socket.send(goodbyeFor('shutdown'));
    socket.close(GOING_AWAY, 'shutdown');
    await this.#parts.clock.sleep(ms, closed.signal);
    socket.terminate();
  }

  #take(message: RawData, binary: boolean): void {
    this.#lastMessageAt = this.#parts.clock.now();
    this.#idleNoticeSent = false;
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#pending.length >= pendingMessagesMax) {
      this.#socket.close(POLICY_VIOLATION, 'too many messages');
      return;
    }
    const bytes = Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message as Buffer);
    this.#pending.push({ body: bytes.toString(binary ? 'base64' : 'utf8'), base64: binary });
    this.#handling ??= this.#handlePending();
  }

  async #handlePending(): Promise<void> {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const event = this.#event('$default', 'MESSAGE');
      try {
        this.#reply(await this.#parts.invoke({ ...event, body: next.body, isBase64Encoded: next.base64 }));
      } catch (error) {
        this.#logFailure('A WebSocket message could not be handled', error);
        const { problem } = problemOf(error, socketPath, event.requestContext.requestId);
        this.#send(JSON.stringify({ type: 'error', problem }));
      }
    }
    this.#handling = undefined;
  }

  /** The body of a handler's answer goes back to the client, as with API Gateway's route responses. */
  #reply(answer: unknown): void {
    if (typeof answer !== 'object' || answer === null || !('body' in answer)) return;
    if (typeof answer.body === 'string' && answer.body !== '') this.#send(answer.body);
  }

  #send(frame: string): void {
    void this.#parts.push.send(this.#facts.connectionId, frame);
  }

  #event(routeKey: EventFacts['routeKey'], eventType: EventFacts['eventType']) {
    const { ids, clock } = this.#parts;
    return socketEvent(this.#facts, { routeKey, eventType, requestId: ids.next(), at: clock.now() });
  }

  #logFailure(message: string, error: unknown): void {
    this.#parts.logger.error(message, { connectionId: this.#facts.connectionId, error: error as Error });
  }
}
