import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Actor, AuditOrigin } from '#shared/audit/entry';
import type { Caller } from './caller.ts';

/** Characters of a user agent that are kept. */
const userAgentLengthMax = 256;

/** Who sent a request and from where: the origin of what the audit log records about it. */
export interface RequestOrigin extends AuditOrigin {
  readonly source: { readonly address: string; readonly userAgent: string };
}

export const originOf = ({ requestContext }: APIGatewayProxyEventV2, caller: Caller | undefined): RequestOrigin => ({
  actor: caller === undefined ? { kind: 'anonymous' } : actorOf(caller),
  source: { address: requestContext.http.sourceIp, userAgent: singleLine(requestContext.http.userAgent) },
});

const actorOf = (caller: Caller): Actor =>
  'sessionId' in caller
    ? { kind: 'user', userId: caller.userId, sessionId: caller.sessionId }
    : { kind: 'api-key', userId: caller.userId, keyId: caller.apiKeyId };

/** A user agent that is safe to show in lists and mails: no line breaks, no characters that reorder text, bounded length. */
const singleLine = (userAgent: string): string =>
  userAgent.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').slice(0, userAgentLengthMax);
