/** The id that a client gave a message; the answer carries it too. */
export type MessageId = string | number;

/** A channel that a client can't subscribe to, with the problem document that says why. */
export interface RefusedChannel {
  readonly channel: string;
  readonly problem: unknown;
}

/** What answers a message of a client. Times are epoch ms. */
export type Answer = { readonly id?: MessageId } & (
  | { readonly type: 'subscribed'; readonly channels: readonly string[]; readonly refused?: readonly RefusedChannel[] }
  | { readonly type: 'unsubscribed'; readonly channels: readonly string[] }
  | { readonly type: 'authenticated'; readonly expiresAt: number }
  | { readonly type: 'pong'; readonly at: number }
  | { readonly type: 'error'; readonly problem: unknown }
);

/** What the server sends; one frame carries one message or an array of them. */
export type ServerMessage =
  | Answer
  | SnapshotMessage
  | UpdateMessage
  | { readonly type: 'goodbye'; readonly reason: GoodbyeReason; readonly reconnect: boolean };

export interface SnapshotMessage {
  readonly type: 'snapshot';
  readonly channel: string;
  /** In which `seq` was given; in another epoch the same number is another message. */
  readonly epoch: string;
  readonly seq: number;
  readonly data: unknown;
  /** The client said what it has, and what it missed can't be sent any more. */
  readonly recovered?: false;
}

export interface UpdateMessage {
  readonly type: 'update';
  readonly channel: string;
  readonly seq: number;
  readonly data: unknown;
}

/** Why the server ends a connection. */
export type GoodbyeReason = 'token-expired' | 'session-ended' | 'too-slow';
