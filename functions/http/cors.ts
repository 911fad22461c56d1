/** What pages of the configured origins may send and read, on both runtimes. */
export const CORS = {
  methods: ['GET', 'POST', 'PUT', 'DELETE'],
  requestHeaders: ['authorization', 'content-type', 'idempotency-key', 'x-api-key'],
  answerHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy', 'idempotent-replayed'],
  /** How long a browser may remember the answer to a preflight. */
  maxAgeSeconds: 600,
} as const;

/**
 * Whether a page of this origin may open a socket: one of a configured origin, or of the server's own. Programs name none.
 * CORS does not hold sockets back, so whoever accepts them has to look (OWASP ASVS 4.4.2).
 */
export const mayConnect = (
  { origin, host }: { readonly origin: string | undefined; readonly host: string | undefined },
  corsOrigins: readonly string[],
): boolean =>
  origin === undefined || corsOrigins.includes(origin) || (host !== undefined && URL.parse(origin)?.host === host);
