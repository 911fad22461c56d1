import type { Config } from '#shared/platform/ports';

const strictTransportSeconds = 2 * 365 * 86_400;

/**
 * The headers of every answer (OWASP REST Security and HTTP Headers cheat sheets). Answers are for programs: a browser that is
 * sent to one must not render, frame, sniff or cache it, nor send it as a referrer. HSTS is added on AWS, which serves TLS only.
 */
export const securityHeaders = ({
  strictTransport,
}: Pick<Config['http'], 'strictTransport'>): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  ...(strictTransport && { 'strict-transport-security': `max-age=${strictTransportSeconds}; includeSubDomains` }),
});
