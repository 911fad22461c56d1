import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Partition, RateLimiter, type RateLimitStatus, WINDOW_SECONDS } from '#shared/limits/rate-limiter';
import { networkOf, siteOf } from '#shared/platform/addresses';
import type { Platform } from '#shared/platform/ports';
import { authorizerContextOf } from './caller.ts';
import { HttpProblem } from './problem.ts';
import { type Route, routeKey } from './route.ts';

/** How many times the limit of a network the /56 around it may request. */
const siteFactor = 4;

/** Rate limits of the routes, per caller, as the routes declare them. */
export class RouteLimits {
  readonly #limiter: RateLimiter;
  readonly #factor: number;

  constructor(platform: Platform) {
    this.#limiter = new RateLimiter(platform);
    this.#factor = platform.config.http.requestLimitFactor;
  }

  /**
   * Counts a request against its caller, or against its network address (of IPv6 the /64, and the /56 around it) where
   * it has none or its credentials were rejected.
   * @throws {Unavailable} see {@link RateLimiter.take}
   */
  async take(route: Route, event: APIGatewayProxyEventV2): Promise<RateLimitStatus> {
    const limit = Math.max(1, Math.floor(route.throttle.requestsPerMinute * this.#factor));
    const status = await this.#limiter.take(partitionOf(event), routeKey(route), limit);
    const site = 'userId' in authorizerContextOf(event) ? undefined : siteOf(event.requestContext.http.sourceIp);
    if (site === undefined || !status.isAllowed) return status;
    const around = await this.#limiter.take(['ADDRESS', site], routeKey(route), limit * siteFactor);
    return around.isAllowed ? status : around;
  }
}

/** The address comes from the gateway; forwarding headers could be forged by the client. */
const partitionOf = (event: APIGatewayProxyEventV2): Partition => {
  const context = authorizerContextOf(event);
  return 'userId' in context
    ? ['USER', context.userId]
    : ['ADDRESS', networkOf(event.requestContext.http.sourceIp) ?? 'unknown'];
};

/** The caller's remaining quota (draft-ietf-httpapi-ratelimit-headers-11). */
export const limitHeaders = ({ limit, remaining, resetSeconds }: RateLimitStatus): Record<string, string> => ({
  'ratelimit-policy': `"route";q=${limit};w=${WINDOW_SECONDS}`,
  ratelimit: `"route";r=${remaining};t=${resetSeconds}`,
});

export const tooManyRequests = ({ limit, resetSeconds }: RateLimitStatus): HttpProblem =>
  new HttpProblem('too-many-requests', `The limit is ${limit} a minute; try again in ${resetSeconds} s.`, {
    headers: { 'retry-after': String(resetSeconds) },
  });
