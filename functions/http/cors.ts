/** What pages of the configured origins may send and read; the same on both runtimes. */
export const CORS = {
  methods: ['GET', 'POST', 'PUT', 'DELETE'],
  requestHeaders: ['authorization', 'content-type', 'idempotency-key', 'x-api-key'],
  answerHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy', 'idempotent-replayed'],
  /** How long a browser may cache the answer to a preflight. */
  maxAgeSeconds: 600,
} as const;

/** What the answer to a preflight of an allowed origin says, besides that origin. */
export const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': CORS.methods.join(),
  'access-control-allow-headers': CORS.requestHeaders.join(),
  'access-control-max-age': String(CORS.maxAgeSeconds),
} as const;

/**
 * Whether a page of this origin may open a socket: a configured origin, or the server's own. Programs send no origin.
 * CORS does not cover WebSockets, so the handshake has to check the origin (OWASP ASVS 4.4.2).
 */
export const mayConnect = (
  { origin, host }: { readonly origin: string | undefined; readonly host: string | undefined },
  corsOrigins: readonly string[],
): boolean =>
  origin === undefined || corsOrigins.includes(origin) || (host !== undefined && URL.parse(origin)?.host === host);
