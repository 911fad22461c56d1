import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import type { AuthorizerContext } from '#functions/http/caller';
import { ApiKeyVerifier } from '#shared/auth/api-key-verifier';
import { TokenVerifier } from '#shared/auth/tokens';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';

/**
 * The Lambda authorizer of the HTTP API: passes on who calls, or why the token or key was rejected. Sessions and keys are looked
 * up on every request; on AWS the result is cached for a minute.
 */
export const createAuthorizer = (platform: Platform) => {
  const { logger } = platform;
  const tokens = new TokenVerifier(platform);
  const keys = new ApiKeyVerifier(platform);
  const contextOf = async ({
    headers,
    requestContext,
  }: APIGatewayRequestAuthorizerEventV2): Promise<AuthorizerContext> => {
    const { authorization, 'x-api-key': key } = headers ?? {};
    if (authorization !== undefined && key !== undefined) return { refusal: 'ambiguous' };
    if (key !== undefined) {
      const { sourceIp: address, userAgent } = requestContext.http;
      const verdict = await keys.verify(key, { address, userAgent });
      return 'refusal' in verdict ? verdict : { ...verdict, scopes: verdict.scopes.join(' ') };
    }
    const token = /^Bearer ([\w~+/.=-]+)$/i.exec(authorization ?? '')?.[1];
    if (authorization === undefined) return { refusal: 'missing' };
    if (token === undefined) return { refusal: 'invalid' };
    const verdict = await tokens.verify(token);
    if ('refusal' in verdict) return verdict;
    const { userId, sessionId, scopes } = verdict;
    return { userId, sessionId, scopes: scopes.join(' ') };
  };
  return async (event: APIGatewayRequestAuthorizerEventV2) => {
    const context = await contextOf(event).catch((error: unknown): AuthorizerContext => {
      if (!(error instanceof DomainError)) throw error;
      logger.error('The credentials of a request could not be verified', { error });
      return { refusal: 'unavailable' };
    });
    return { isAuthorized: true, context };
  };
};

export const handler = onLambda(createAuthorizer);
