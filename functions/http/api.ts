import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type * as z from 'zod';
import { publishMetrics } from '#functions/instrumented';
import type { Platform } from '#shared/platform/ports';
import { type Caller, callerOf, type SessionCaller } from './caller.ts';
import { onceByKey } from './idempotency.ts';
import { limitHeaders, RouteLimits, tooManyRequests } from './limits.ts';
import { HttpProblem, isOurFault, problemOf } from './problem.ts';
import { type Route, type RouteScope, routeKey } from './route.ts';
import { securityHeaders } from './security-headers.ts';

/** Largest body that is read. The largest request of the API is a few kilobytes. */
export const BODY_BYTES_MAX = 64 * 1024;
/** How deep a body may be nested. The deepest of the API has a handful of levels. */
export const BODY_DEPTH_MAX = 32;
/** How much is kept of what a client calls itself. */
const USER_AGENT_LENGTH_MAX = 256;
/** How much an answer tells of an input that is not valid. */
const ERRORS_MAX = 20;
const ERROR_LENGTH_MAX = 300;
const DETAIL_LENGTH_MAX = 1000;

/** An answer: a status of the route's declaration and its body. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const accepted = (body: unknown): Reply => ({ status: 202, body });
export const acceptedWithoutBody = (): Reply => ({ status: 202 });
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

type Handle = (event: APIGatewayProxyEventV2) => Promise<Reply>;

/** A route bound to what it does. */
export interface Binding {
  readonly route: Route;
  readonly handle: (platform: Platform) => Handle;
}

/** Who calls a route of this scope. */
type CallerOf<S extends RouteScope> = S extends 'public'
  ? unknown
  : { readonly caller: S extends 'session' ? SessionCaller : Caller };

/**
 * Binds a route to what it does; one that is not public gets its caller, who has the route's scope. Only what is declared
 * `session` can ask for the caller's session: so an API key can't reach it.
 */
export const on = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, S extends RouteScope>(
  route: Route<P, Q, B, S>,
  handle: (request: Request<z.infer<P>, z.infer<Q>, z.infer<B>> & CallerOf<S>) => Promise<Reply>,
): Binding => ({
  route: route as unknown as Route,
  handle: (platform) => async (event) => {
    const caller = route.scope === 'public' ? undefined : callerOf(event, route.scope);
    const request = validRequest(route, event);
    const run = () => handle({ ...request, caller } as unknown as Parameters<typeof handle>[0]);
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
 * Makes the handler of an API function from its routes: request ids, limits, the gate, problem documents, logs and metrics.
 * The gateway has matched method and path already; its route key says which route it found.
 * @param refuse throws what to tell a request that no route matches
 */
export const api = (
  platform: Platform,
  bindings: readonly Binding[],
  refuse: (event: APIGatewayProxyEventV2) => never = () => {
    throw new HttpProblem('not-found', 'Nothing stands at this path.');
  },
): HttpHandler => {
  const { config, logger, metrics } = platform;
  const limits = new RouteLimits(platform);
  const bound = new Map(bindings.map(({ route, handle }) => [routeKey(route), { route, run: handle(platform) }]));
  return async (event) => {
    logger.resetKeys();
    logger.appendKeys({ requestId: event.requestContext.requestId, route: event.routeKey });
    // All that every answer has, whatever becomes of the request.
    const headers: Record<string, string> = {
      ...securityHeaders(config.http),
      'x-request-id': event.requestContext.requestId,
    };
    try {
      const { route, run } = bound.get(event.routeKey) ?? refuse(event);
      const standing = await limits.take(route, event);
      Object.assign(headers, limitHeaders(standing));
      if (!standing.isAllowed) throw tooManyRequests(standing);
      return render(await run(event), route, headers);
    } catch (error) {
      return renderProblem(platform, error, event, headers);
    } finally {
      publishMetrics(metrics);
    }
  };
};

type Headers = Readonly<Record<string, string>>;

const render = ({ status, body, headers }: Reply, route: Route, always: Headers) => ({
  statusCode: status,
  headers: {
    ...(body === undefined ? {} : { 'content-type': route.produces ?? 'application/json' }),
    ...always,
    ...headers,
  },
  body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
});

/** The answer that tells of an error. Errors of ours are logged with their cause; what the caller did wrong is not. */
const renderProblem = ({ logger }: Platform, error: unknown, event: APIGatewayProxyEventV2, always: Headers) => {
  const { requestContext, routeKey: route } = event;
  const { requestId } = requestContext;
  const { problem, headers } = problemOf(error, event.rawPath, requestId);
  if (isOurFault(problem)) {
    // On one machine requests share the logger: by now its keys may be those of another one.
    logger.error('The request failed', { requestId, route, error: error as Error, problem: problem.type });
  }
  return {
    statusCode: problem.status,
    headers: { 'content-type': 'application/problem+json', ...always, ...headers },
    body: JSON.stringify(problem),
  };
};

const validRequest = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  route: Route<P, Q, B, RouteScope>,
  event: APIGatewayProxyEventV2,
): Request<z.infer<P>, z.infer<Q>, z.infer<B>> => ({
  // A path that can't name anything names nothing: 404, not 422.
  params: route.params ? validParams(route.params, event.pathParameters ?? {}) : ({} as z.infer<P>),
  query: valid(route.query, 'query', event.queryStringParameters ?? {}),
  body: route.body ? valid(route.body, '', bodyOf(event)) : (undefined as z.infer<B>),
  requestId: event.requestContext.requestId,
  sourceAddress: event.requestContext.http.sourceIp,
  userAgent: shownOnOneLine(event.requestContext.http.userAgent),
});

/** What a client calls itself, as it may stand in a list or a mail: no line breaks, no signs that reorder the text, not long. */
const shownOnOneLine = (userAgent: string): string =>
  userAgent.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').slice(0, USER_AGENT_LENGTH_MAX);

const validParams = <P extends z.ZodObject>(
  schema: P,
  params: NonNullable<APIGatewayProxyEventV2['pathParameters']>,
): z.infer<P> => {
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw new HttpProblem('not-found', 'Nothing has this id.');
  return parsed.data;
};

const valid = <S extends z.ZodType>(schema: S | undefined, at: string, input: unknown): z.infer<S> => {
  if (schema === undefined) return {} as z.infer<S>;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, ERRORS_MAX).map(({ path, message }) => ({
    path: [at, ...path.map(String)].filter(Boolean).join('.') || 'body',
    // A message may name every unknown field of the input.
    message: message.slice(0, ERROR_LENGTH_MAX),
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem('invalid-input', detail.slice(0, DETAIL_LENGTH_MAX), { errors });
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
  if (depthOf(body) > BODY_DEPTH_MAX) {
    throw new HttpProblem('malformed-request', `The body may be nested ${BODY_DEPTH_MAX} times at most.`);
  }
  try {
    return JSON.parse(body, acceptable);
  } catch {
    throw new HttpProblem('malformed-request', 'The body is not valid JSON.');
  }
};

/** How deep the arrays and objects of a JSON text are nested: what is read deeper than that may use up the stack. */
const depthOf = (json: string): number => {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (isText) {
      if (character === '\\') at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth--;
  }
  return deepest;
};

/**
 * Half a surrogate pair is no text (RFC 7493, 2.1): stores and hashes would each make something else of it. And a field of the
 * name of an object's prototype is nobody's: code that copies it would take it for one.
 */
const acceptable = (name: string, value: unknown): unknown => {
  if (name === '__proto__') throw new SyntaxError('A name that no field has');
  if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('Half a surrogate pair');
  return value;
};
