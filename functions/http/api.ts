import { Router } from '@aws-lambda-powertools/event-handler/http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type * as z from 'zod';
import { publishMetrics } from '#functions/instrumented';
import type { Platform } from '#shared/platform/ports';
import { type Caller, callerOf } from './caller.ts';
import { onceByKey } from './idempotency.ts';
import { HttpProblem, isOurFault, problemOf } from './problem.ts';
import type { Route, RouteScope } from './route.ts';

/** Largest body that is read. The largest request of the API is a few kilobytes. */
export const BODY_BYTES_MAX = 64 * 1024;

/** An answer: a status of the route's declaration and its body. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const accepted = (body: unknown): Reply => ({ status: 202, body });
export const noContent = (): Reply => ({ status: 204 });

/** A request that passed the gate: authenticated, in scope, and valid by the route's schemas. */
export interface Request<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly userAgent: string;
}

type Handle = (event: APIGatewayProxyEventV2, pathParams: Record<string, string>) => Promise<Reply>;

/** A route bound to what it does. */
export interface Binding {
  readonly route: Route;
  readonly handle: (platform: Platform) => Handle;
}

/** Binds a route to what it does; one that is not public gets its caller, who has the route's scope. */
export const on = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, S extends RouteScope>(
  route: Route<P, Q, B, S>,
  handle: (
    request: Request<z.infer<P>, z.infer<Q>, z.infer<B>> & (S extends 'public' ? unknown : { readonly caller: Caller }),
  ) => Promise<Reply>,
): Binding => ({
  route: route as unknown as Route,
  handle: (platform) => async (event, pathParams) => {
    const caller = route.scope === 'public' ? undefined : callerOf(event, route.scope);
    const request = validRequest(route, event, pathParams);
    const run = () => handle({ ...request, caller } as Parameters<typeof handle>[0]);
    return route.idempotent === true && caller !== undefined
      ? onceByKey(platform, caller, route, event, request.body, run)
      : run();
  },
});

export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Makes the handler of an API function from its routes: request ids, the gate, problem documents, logs and metrics.
 * @param refuse throws what to tell a request that no route matches
 */
export const api = (
  platform: Platform,
  bindings: readonly Binding[],
  refuse: (event: APIGatewayProxyEventV2) => never = () => {
    throw new HttpProblem('not-found', 'Nothing stands at this path.');
  },
): HttpHandler => {
  const { logger, metrics } = platform;
  const router = new Router({ logger });
  for (const { route, handle } of bindings) {
    const run = handle(platform);
    router.route(
      async ({ event, params }) => {
        const http = event as APIGatewayProxyEventV2;
        try {
          return render(await run(http, params), route, http);
        } catch (error) {
          return renderProblem(platform, error, http);
        }
      },
      // Powertools writes a path parameter `:name` where API Gateway writes `{name}`.
      { method: route.method, path: route.path.replaceAll(/\{(\w+)\}/g, ':$1') as `/${string}` },
    );
  }
  router.notFound(async (_error, { event }) => {
    const http = event as APIGatewayProxyEventV2;
    try {
      return refuse(http);
    } catch (error) {
      return renderProblem(platform, error, http);
    }
  });
  return async (event, context) => {
    logger.resetKeys();
    logger.appendKeys({ requestId: event.requestContext.requestId, route: event.routeKey });
    try {
      return (await router.resolve(event, context)) as APIGatewayProxyStructuredResultV2;
    } finally {
      publishMetrics(metrics);
    }
  };
};

const render = ({ status, body, headers }: Reply, route: Route, event: APIGatewayProxyEventV2) => ({
  statusCode: status,
  headers: {
    ...(body === undefined ? {} : { 'content-type': route.produces ?? 'application/json' }),
    'cache-control': 'no-store',
    'x-request-id': event.requestContext.requestId,
    ...headers,
  },
  body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
});

/** The answer that tells of an error. Errors of ours are logged with their cause; what the caller did wrong is not. */
const renderProblem = ({ logger }: Platform, error: unknown, event: APIGatewayProxyEventV2) => {
  const { requestId } = event.requestContext;
  const { problem, headers } = problemOf(error, event.rawPath, requestId);
  if (isOurFault(problem)) logger.error('The request failed', { error: error as Error, problem: problem.type });
  return {
    statusCode: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...headers,
    },
    body: JSON.stringify(problem),
  };
};

const validRequest = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  route: Route<P, Q, B, RouteScope>,
  event: APIGatewayProxyEventV2,
  pathParams: Record<string, string>,
): Request<z.infer<P>, z.infer<Q>, z.infer<B>> => ({
  // A path that can't name anything names nothing: 404, not 422.
  params: route.params ? validParams(route.params, pathParams) : ({} as z.infer<P>),
  query: valid(route.query, 'query', event.queryStringParameters ?? {}),
  body: route.body ? valid(route.body, '', bodyOf(event)) : (undefined as z.infer<B>),
  requestId: event.requestContext.requestId,
  sourceAddress: event.requestContext.http.sourceIp,
  userAgent: event.requestContext.http.userAgent,
});

const validParams = <P extends z.ZodObject>(schema: P, params: Record<string, string>): z.infer<P> => {
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw new HttpProblem('not-found', 'Nothing has this id.');
  return parsed.data;
};

const valid = <S extends z.ZodType>(schema: S | undefined, at: string, input: unknown): z.infer<S> => {
  if (schema === undefined) return {} as z.infer<S>;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({
    path: [at, ...path.map(String)].filter(Boolean).join('.') || 'body',
    message,
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem('invalid-input', detail.slice(0, 1000), { errors });
};

const bodyOf = (event: APIGatewayProxyEventV2): unknown => {
  const contentType = event.headers['content-type'] ?? '';
  const body = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString('utf8') : (event.body ?? '');
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) {
    throw new HttpProblem('payload-too-large', `A body may have at most ${BODY_BYTES_MAX} bytes.`);
  }
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new HttpProblem('unsupported-media-type', 'Send JSON with the header Content-Type: application/json.');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new HttpProblem('malformed-request', 'The body is not valid JSON.');
  }
};
