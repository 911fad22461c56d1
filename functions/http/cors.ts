/** What pages of the configured origins may send and read, on both runtimes. */
export const CORS = {
  methods: ['GET', 'POST', 'PUT', 'DELETE'],
  requestHeaders: ['authorization', 'content-type', 'idempotency-key', 'x-api-key'],
  answerHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy', 'idempotent-replayed'],
  /** How long a browser may remember the answer to a preflight. */
  maxAgeSeconds: 600,
} as const;
