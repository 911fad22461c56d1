import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import type { AuthorizerContext } from '#functions/http/caller';
import { TokenVerifier } from '#shared/auth/tokens';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';

/** Tells the functions behind the HTTP API who calls, or why the token is refused. Each token's session is looked up, on AWS at most once a minute. */
export const createAuthorizer = (platform: Platform) => {
  const { logger } = platform;
  const verifier = new TokenVerifier(platform);
  const contextOf = async (authorization: string | undefined): Promise<AuthorizerContext> => {
    const token = /^Bearer ([\w~+/.=-]+)$/i.exec(authorization ?? '')?.[1];
    if (authorization === undefined) return { refusal: 'missing' };
    if (token === undefined) return { refusal: 'invalid' };
    try {
      const verdict = await verifier.verify(token);
      if ('refusal' in verdict) return verdict;
      const { userId, sessionId, scopes } = verdict;
      return { userId, sessionId, scopes: scopes.join(' ') };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      logger.error('An access token could not be checked', { error });
      return { refusal: 'unavailable' };
    }
  };
  return async ({ headers }: APIGatewayRequestAuthorizerEventV2) => ({
    isAuthorized: true,
    context: await contextOf(headers?.authorization),
  });
};

export const handler = onLambda(createAuthorizer);
