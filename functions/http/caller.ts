import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Scope } from '#shared/auth/scopes';
import type { SessionId } from '#shared/auth/stored-session';
import type { UserId } from '#shared/users/user';
import { HttpProblem } from './problem.ts';
import type { RouteScope } from './route.ts';

/** Who calls. */
export interface Caller {
  readonly userId: UserId;
  /** The login that the request is part of. */
  readonly sessionId: SessionId;
  readonly scopes: readonly Scope[];
}

/**
 * What the authorizer tells the function. It lets every request through and tells what it found, because HTTP API answers
 * a denied request with a body of its own, which is no problem document.
 */
export type AuthorizerContext =
  | { readonly userId: UserId; readonly sessionId: SessionId; readonly scopes: string }
  | { readonly refusal: 'missing' | 'invalid' | 'expired' | 'ended' | 'unavailable' };

const detailOf = {
  missing: 'Send the header Authorization: Bearer <access token>; POST /api/user/login gives one.',
  invalid: 'The access token is not valid.',
  expired: 'The access token has expired.',
  ended: 'The session of the access token has ended; log in again.',
} as const;

/**
 * The caller of a request whose route needs `scope`.
 * @throws {HttpProblem} `unauthenticated` (with a challenge by RFC 6750), `forbidden`, or `unavailable`
 */
export const callerOf = (event: APIGatewayProxyEventV2, scope: Exclude<RouteScope, 'public'>): Caller => {
  const context = authorizerContextOf(event);
  if ('refusal' in context) {
    if (context.refusal === 'unavailable') {
      throw new HttpProblem('unavailable', 'The access token can not be checked now; try again in a moment.');
    }
    const challenge = context.refusal === 'missing' ? 'Bearer' : 'Bearer error="invalid_token"';
    throw new HttpProblem('unauthenticated', detailOf[context.refusal], { headers: { 'www-authenticate': challenge } });
  }
  const scopes = context.scopes.split(' ') as Scope[];
  if (scope !== 'self' && !scopes.includes(scope)) {
    throw new HttpProblem('forbidden', `This needs the scope ${scope}.`, {
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
    });
  }
  return { userId: context.userId, sessionId: context.sessionId, scopes };
};

/** What the authorizer found of a request; `missing` where none was asked. */
export const authorizerContextOf = (event: APIGatewayProxyEventV2): AuthorizerContext => {
  const requestContext: { authorizer?: { lambda?: AuthorizerContext } } = event.requestContext as never;
  return requestContext.authorizer?.lambda ?? { refusal: 'missing' };
};
