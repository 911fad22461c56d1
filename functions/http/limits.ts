import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Partition, RateLimiter, type RateLimitStatus, WINDOW_SECONDS } from '#shared/limits/rate-limiter';
import { networkOf } from '#shared/platform/addresses';
import type { Platform } from '#shared/platform/ports';
import { authorizerContextOf } from './caller.ts';
import { HttpProblem } from './problem.ts';
import { type Route, routeKey } from './route.ts';

/** How often callers may use routes, as their declarations say. */
export class RouteLimits {
  readonly #limiter: RateLimiter;
  readonly #factor: number;

  constructor(platform: Platform) {
    this.#limiter = new RateLimiter(platform);
    this.#factor = platform.config.http.requestLimitFactor;
  }

  /**
   * Counts a request of its caller, or of its network where it has none, also with a token that is refused.
   * @throws {Unavailable} see {@link RateLimiter.take}
   */
  async take(route: Route, event: APIGatewayProxyEventV2): Promise<RateLimitStatus> {
    const limit = Math.max(1, Math.floor(route.throttle.requestsPerMinute * this.#factor));
    return await this.#limiter.take(partitionOf(event), routeKey(route), limit);
  }
}

/** The address is the gateway's word; what a header says of it anybody can write. */
const partitionOf = (event: APIGatewayProxyEventV2): Partition => {
  const context = authorizerContextOf(event);
  return 'userId' in context
    ? ['USER', context.userId]
    : ['ADDRESS', networkOf(event.requestContext.http.sourceIp) ?? 'unknown'];
};

/** What tells a client how it stands (draft-ietf-httpapi-ratelimit-headers-11). */
export const limitHeaders = ({ limit, remaining, resetSeconds }: RateLimitStatus): Record<string, string> => ({
  'ratelimit-policy': `"route";q=${limit};w=${WINDOW_SECONDS}`,
  ratelimit: `"route";r=${remaining};t=${resetSeconds}`,
});

export const tooManyRequests = ({ limit, resetSeconds }: RateLimitStatus): HttpProblem =>
  new HttpProblem('too-many-requests', `${limit} a minute are served; try again in ${resetSeconds} s.`, {
    headers: { 'retry-after': String(resetSeconds) },
  });
