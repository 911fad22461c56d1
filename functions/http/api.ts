import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { publishMetrics } from '#functions/instrumented';
import type { Platform } from '#shared/platform/ports';
import type { Binding } from './binding.ts';
import { limitHeaders, RouteLimits, tooManyRequests } from './limits.ts';
import { HttpProblem, isOurFault, problemOf } from './problem.ts';
import type { Reply } from './reply.ts';
import { methodsOf, type Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';

export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The handler of an API function, made from its bindings: rate limits, dispatch by the gateway's route key, problem documents,
 * logs and metrics.
 * @param unmatched answers a request that no route matches, or throws its problem
 */
export const api = (
  platform: Platform,
  bindings: readonly Binding[],
  unmatched: (event: APIGatewayProxyEventV2) => Promise<Reply> = async () => {
    throw new HttpProblem('not-found', 'No route matches this path.');
  },
): HttpHandler => {
  const { config, logger, metrics } = platform;
  const limits = new RouteLimits(platform);
  const bound = new Map(
    bindings.flatMap(({ route, handle }) => {
      const binding = { route, run: handle(platform) };
      return methodsOf(route).map((method): [string, typeof binding] => [`${method} ${route.path}`, binding]);
    }),
  );
  const answer: HttpHandler = async (event) => {
    logger.resetKeys();
    logger.appendKeys({ requestId: event.requestContext.requestId, route: event.routeKey });
    // The headers of every answer, failures included.
    const headers: Record<string, string> = {
      ...securityHeaders(config.http),
      'x-request-id': event.requestContext.requestId,
    };
    try {
      const binding = bound.get(event.routeKey);
      if (binding === undefined) return render(await unmatched(event), {}, headers);
      const { route, run } = binding;
      const limit = await limits.take(route, event);
      Object.assign(headers, limitHeaders(limit));
      if (!limit.isAllowed) throw tooManyRequests(limit);
      return render(await run(event), route, headers);
    } catch (error) {
      return renderProblem(platform, error, event, headers);
    } finally {
      publishMetrics(metrics);
    }
  };
  return async (event, context) => {
    const answered = await answer(event, context);
    return event.requestContext.http.method === 'HEAD' ? { ...answered, body: '' } : answered;
  };
};

type Headers = Readonly<Record<string, string>>;

const render = ({ status, body, headers }: Reply, { produces }: Pick<Route, 'produces'>, always: Headers) => ({
  statusCode: status,
  headers: {
    ...(body === undefined ? {} : { 'content-type': produces ?? 'application/json' }),
    ...always,
    ...headers,
  },
  body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
});

/** The answer to a failed request. Failures on our side are logged with their cause; the caller's mistakes are not. */
const renderProblem = ({ logger }: Platform, error: unknown, event: APIGatewayProxyEventV2, always: Headers) => {
  const { requestContext, routeKey: route } = event;
  const { requestId } = requestContext;
  const { problem, headers } = problemOf(error, event.rawPath, requestId);
  if (isOurFault(problem)) {
    // On one machine concurrent requests share the logger, so its keys may be those of another request by now.
    logger.error('A request failed', { requestId, route, error: error as Error, problem: problem.type });
  }
  return {
    statusCode: problem.status,
    headers: { 'content-type': 'application/problem+json', ...always, ...headers },
    body: JSON.stringify(problem),
  };
};
