import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { KeyRefusal } from '#shared/auth/api-key-verifier';
import type { ApiKeyId } from '#shared/auth/stored-api-key';
import type { SessionId } from '#shared/auth/stored-session';
import type { Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { BEARER, HttpProblem, INVALID_TOKEN } from './problem.ts';
import type { RouteScope } from './route.ts';

interface Authenticated {
  readonly userId: UserId;
  readonly scopes: readonly Scope[];
}

/** A user who is logged in, with the session of the request. */
export interface SessionCaller extends Authenticated {
  readonly sessionId: SessionId;
}

/** A program that uses an API key of a user. */
export interface KeyCaller extends Authenticated {
  readonly apiKeyId: ApiKeyId;
}

/** Who sent a request. */
export type Caller = SessionCaller | KeyCaller;

type Refusal = 'missing' | 'ambiguous' | 'invalid' | 'expired' | 'ended' | 'unavailable' | KeyRefusal;

/**
 * What the authorizer passes to the function. It allows every request and reports what it found, because HTTP API answers a
 * denied request with a body of its own, which is not a problem document.
 */
export type AuthorizerContext =
  | { readonly userId: UserId; readonly sessionId: SessionId; readonly scopes: string }
  | { readonly userId: UserId; readonly apiKeyId: ApiKeyId; readonly scopes: string }
  | { readonly refusal: Refusal };

const detailOf = {
  missing: 'Send the header Authorization: Bearer <access token>; POST /api/user/login issues one. Or send X-Api-Key.',
  ambiguous: 'Send Authorization or X-Api-Key, not both.',
  invalid: 'The access token is not valid.',
  expired: 'The access token has expired.',
  ended: 'The session of the access token has ended; log in again.',
  'invalid-key': 'The API key is not valid.',
  'expired-key': 'The API key has expired.',
} as const;

/**
 * The caller of a request, who has the scope that the route requires, and is logged in where that is `session`.
 * @throws {HttpProblem} `unauthenticated` (with an RFC 6750 challenge), `forbidden`, or `unavailable`
 */
export const callerOf = (event: APIGatewayProxyEventV2, scope: Exclude<RouteScope, 'public'>): Caller => {
  const context = authorizerContextOf(event);
  if ('refusal' in context) {
    if (context.refusal === 'unavailable') {
      throw new HttpProblem('unavailable', 'The credentials cannot be checked right now; try again in a moment.');
    }
    if (context.refusal === 'wrong-address') {
      throw new HttpProblem('forbidden', 'The API key must not be used from this address.');
    }
    const challenge = context.refusal === 'missing' ? BEARER : INVALID_TOKEN;
    throw new HttpProblem('unauthenticated', detailOf[context.refusal], { headers: { 'www-authenticate': challenge } });
  }
  const { scopes: granted, ...caller } = context;
  if (scope === 'session' && !('sessionId' in caller)) {
    throw new HttpProblem('forbidden', 'This requires a login; API keys cannot do it.');
  }
  const scopes = granted.split(' ') as Scope[];
  if (scope !== 'self' && scope !== 'session' && !scopes.includes(scope)) {
    throw new HttpProblem('forbidden', `This requires the scope ${scope}.`, {
      headers: { 'www-authenticate': `${BEARER}, error="insufficient_scope", scope="${scope}"` },
    });
  }
  return { ...caller, scopes };
};

/** The authorizer's result; `missing` where the route has no authorizer. */
export const authorizerContextOf = (event: APIGatewayProxyEventV2): AuthorizerContext => {
  const requestContext: { authorizer?: { lambda?: AuthorizerContext } } = event.requestContext as never;
  return requestContext.authorizer?.lambda ?? { refusal: 'missing' };
};
