import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import type { Config } from './config/config.ts';
import type { QueueName } from './queues.ts';
import type { Table } from './table.ts';

export type { Config };

/** Time. The only source of it outside the platform, so that the system also runs under a virtual clock. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness. */
export interface Random {
  /** Uniform in [0, 1). */
  number(): number;
  bytes(length: number): Uint8Array;
}

/** Identifiers. */
export interface Ids {
  /** A UUIDv7 (RFC 9562): sorts by time, also within a millisecond of one process. */
  next(): string;
}

export interface Message {
  readonly body: string;
  /** Seconds until it can be received, 0..900. */
  readonly delaySeconds?: number;
}

export interface ReceivedMessage {
  readonly id: string;
  readonly body: string;
  /** Proof of this receipt; deletes or extends only as long as the message was not received again. */
  readonly receipt: string;
  /** How often the message was received, this time included. */
  readonly receiveCount: number;
  /** When it was sent, epoch ms. */
  readonly sentAt: number;
}

/** Largest message body in bytes: SQS's limit of 256 KiB, held by every adapter. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** A queue: delivers at least once, in no promised order. A message received too often moves to the queue's dead letters. */
export interface Queue {
  /** Sends any number of messages; those confirmed are durable. */
  send(messages: readonly Message[]): Promise<void>;
  /** Up to `max` (1..10) messages that are visible now; they become visible again after `visibilitySeconds`. */
  receive(max: number, visibilitySeconds: number): Promise<ReceivedMessage[]>;
  /** Ends a message. A receipt that is no longer valid does nothing. */
  remove(receipt: string): Promise<void>;
  /** Makes a received message visible again after `seconds` (0: at once). */
  release(receipt: string, seconds: number): Promise<void>;
  /** Approximate numbers of messages. */
  depth(): Promise<QueueDepth>;
}

export interface QueueDepth {
  /** Those that can be received now. */
  readonly waiting: number;
  /** Those that were sent for later. */
  readonly delayed: number;
  /** Those that were received and are neither removed nor visible again. */
  readonly inFlight: number;
}

/** Secrets by name. Values never reach a log, an error, a trace or an answer. */
export interface Secrets {
  /** A value may be cached for a minute unless it has to be `fresh`, such as before a read-modify-write. */
  get(name: string, options?: { readonly fresh?: boolean }): Promise<string | undefined>;
  put(name: string, value: string): Promise<void>;
  /** Stores the value unless the secret exists. @returns the value that is stored now */
  create(name: string, value: string): Promise<string>;
  /** The name may stay taken for a while, where deleted secrets can be recovered. */
  delete(name: string): Promise<void>;
}

export interface Mail {
  /** Identifies the mail: sent again under the same id, it is not delivered twice where the mailer deduplicates. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Mailer {
  send(mail: Mail): Promise<void>;
}

/** Sends to open WebSocket connections. */
export interface Push {
  /** @returns `gone` when the connection does not exist any more (or was dropped because it can't keep up) */
  send(connectionId: string, frame: string): Promise<'sent' | 'gone'>;
  close(connectionId: string): Promise<void>;
}

/** The network outside. */
export interface Network {
  readonly fetch: typeof globalThis.fetch;
  /**
   * POSTs to an address that a user gave: no redirects, bounded time and answer, and no private addresses where
   * the configuration forbids them (the address is checked after its name was resolved).
   * @returns the status code
   * @throws {Unavailable} no connection, or the address is not allowed
   * @throws {TimedOut} no answer within `timeoutMs`
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs: number): Promise<number>;
}

/** Everything a handler may depend on. A function gets only what its manifest entry grants. */
export interface Platform {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly network: Network;
  readonly table: Table;
  readonly secrets: Secrets;
  readonly mailer: Mailer;
  readonly push: Push;
  queue(name: QueueName): Queue;
}
