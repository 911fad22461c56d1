import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { routes } from '#functions/api/routes';
import { Problem } from '#functions/http/problem';
import type { Route } from '#functions/http/route';
import { functions } from '#functions/manifest';
import { grantedPlatform } from '#local/granted';
import { RouteTable } from '#local/route-table';
import { Sessions } from '#shared/auth/sessions';
import { SigningKeys } from '#shared/auth/signing-keys';
import { newSession, type SessionId, type StoredSession } from '#shared/auth/stored-session';
import { issueAccessToken } from '#shared/auth/tokens';
import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { testContext } from './test-platform.ts';
import { awakeOn, VirtualClock } from './virtual-clock.ts';

/** A request from a client. An object as `body` is sent as JSON with its content type, a string as it is. */
export interface ClientRequest {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly sourceAddress?: string;
  readonly userAgent?: string;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect answers of every shape; each was validated against its schema
  readonly body: any;
  readonly text: string;
}

type Invoke = (event: unknown, context: unknown) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The HTTP API without a server: matches the route as API Gateway does, invokes the authorizer, and then the route's function,
 * each on a platform with the grants of its manifest entry.
 * Every answer is validated: problems against the schema of problems, others against the route's declaration.
 */
export const httpApi = async (platform: Platform) => {
  const { logger } = platform;
  const table = new RouteTable<Invoke>();
  let fallback: Invoke | undefined;
  let authorizer: Invoke | undefined;
  for (const entry of functions) {
    const { trigger, load } = entry;
    if (trigger.type !== 'http' && trigger.type !== 'authorizer') continue;
    const invoke: Invoke = (await load())({ ...grantedPlatform(platform, entry), logger });
    if (trigger.type === 'authorizer') authorizer = invoke;
    else {
      for (const route of trigger.routes) table.add(route, invoke);
      if (trigger.fallback) fallback = invoke;
    }
  }

  const answered = async (method: string, target: string, options: ClientRequest) => {
    const [path = '', query = ''] = target.split(/\?(.*)/s);
    const match = table.find(method, path);
    const event = httpEvent(method, path, query, options);
    const route = match?.destination.route;
    if (match !== undefined) Object.assign(event, routed(match.destination.routeKey, match.params));
    if (route !== undefined && route.scope !== 'public') {
      const verdict = (await authorizer?.({ ...event, type: 'REQUEST' }, testContext)) as unknown as {
        context: object;
      };
      Object.assign(event.requestContext, { authorizer: { lambda: verdict.context } });
    }
    const invoke = match?.destination.target ?? fallback;
    if (invoke === undefined) throw new TypeError('No function handles requests that no route matches');
    const { clock } = platform;
    const running = invoke(event, testContext);
    // Refused logins and contended writes sleep for a moment.
    const result = await (clock instanceof VirtualClock ? awakeOn(clock, running) : running);
    const text = result.body ?? '';
    const headers = result.headers as Record<string, string>;
    const isJson = /json/.test(headers['content-type'] ?? '');
    const body = isJson && text !== '' ? JSON.parse(text) : text;
    const answer: ClientAnswer = { status: result.statusCode ?? 0, headers, body, text };
    return { answer, route, requestId: event.requestContext.requestId };
  };

  /** @param target path and query */
  const request = async (method: string, target: string, options: ClientRequest = {}): Promise<ClientAnswer> => {
    const { answer, route, requestId } = await answered(method, target, options);
    checkDeclared(route, requestId, answer);
    return answer;
  };

  /** A request whose answer no route declares: to HEAD, without a body, or to OPTIONS. */
  const send = async (method: 'HEAD' | 'OPTIONS', target: string, options: ClientRequest = {}): Promise<ClientAnswer> =>
    (await answered(method, target, options)).answer;

  return { request, send };
};
export type TestHttpApi = Awaited<ReturnType<typeof httpApi>>;

let requests = 0;

const httpEvent = (method: string, path: string, query: string, options: ClientRequest): APIGatewayProxyEventV2 => {
  const { body } = options;
  const isJson = body !== undefined && typeof body !== 'string';
  requests += 1;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: {
      host: 'api.example.com',
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(query === '' ? {} : { queryStringParameters: queryOf(query) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: options.sourceAddress ?? '203.0.113.7',
        userAgent: options.userAgent ?? 'test',
      },
      requestId: `request-${requests}`,
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: Date.UTC(2026, 0, 1),
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    isBase64Encoded: options.isBase64Encoded ?? false,
  };
};

const routed = (routeKey: string, params: Readonly<Record<string, string>> | undefined) => ({
  routeKey,
  ...(params && {
    pathParameters: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decoded(value)])),
  }),
});

/** API Gateway rejects a path with invalid percent-encoding; here it is passed on as it is. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** API Gateway joins repeated parameters with commas. */
const queryOf = (query: string): Record<string, string> => {
  const joined = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
};

const checkDeclared = (route: Route | undefined, requestId: string, answer: ClientAnswer): void => {
  const { status, headers, body, text } = answer;
  const where = `${route?.method} ${route?.path} answered ${status} ${text.slice(0, 500)}`;
  if (headers['x-request-id'] !== requestId) throw new Error(`${where}: the request id is missing`);
  if (status >= 400) {
    if (headers['content-type'] !== 'application/problem+json') throw new Error(`${where}: not a problem document`);
    const problem = Problem.parse(body);
    if (problem.status !== status || problem.requestId !== requestId)
      throw new Error(`${where}: another status or request id in the body`);
    return;
  }
  const schema = route?.response[status];
  if (schema === undefined) throw new Error(`${where}: an undeclared status`);
  if (schema === null) {
    if (text !== '') throw new Error(`${where}: a body although none is declared`);
    return;
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Error(`${where}: not as declared: ${parsed.error.message}`);
};

/** An access token of a session of its own, without the cost of hashing a password. The user need not exist. */
export const tokenOf = async (platform: Platform, userId: UserId, role: Role): Promise<string> => {
  const client = { address: '203.0.113.7', userAgent: 'test' };
  const session = newSession({ userId, role }, platform.ids.next() as SessionId, client, platform.clock.now());
  await platform.table.put(session);
  return await accessTokenOf(platform, session);
};

/** The tokens that a login issues, without the cost of hashing a password. */
export const logInAs = async (platform: Platform, userId: UserId, userAgent = 'test') => {
  const client = { address: '203.0.113.7', userAgent };
  const { session, refreshToken } = await new Sessions(platform).open(userId, client);
  return { accessToken: await accessTokenOf(platform, session), refreshToken };
};

const accessTokenOf = async (platform: Platform, session: StoredSession): Promise<string> =>
  await issueAccessToken(await new SigningKeys(platform).current(), platform, session);

/** A path of the route, with ids of nothing that exists. */
export const pathOf = ({ path }: Route): string => path.replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000');

/** Every route, for `describe.each` and `it.each`. */
export const namedRoutes = routes.map((route) => ({ name: `${route.method} ${route.path}`, route }));
