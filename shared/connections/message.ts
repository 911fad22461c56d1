/** What the server sends; one frame carries one message or an array of them. */
export type ServerMessage =
  | { readonly type: 'subscribed'; readonly channels: readonly string[] }
  | { readonly type: 'snapshot'; readonly channel: string; readonly seq: number; readonly data: unknown }
  | UpdateMessage
  | { readonly type: 'error'; readonly problem: unknown }
  | { readonly type: 'pong' }
  | { readonly type: 'goodbye'; readonly reason: GoodbyeReason; readonly reconnect: boolean };

export interface UpdateMessage {
  readonly type: 'update';
  readonly channel: string;
  readonly seq: number;
  readonly data: unknown;
}

/** Why the server ends a connection. */
export type GoodbyeReason = 'token-expired' | 'session-ended' | 'too-slow';
