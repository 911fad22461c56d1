import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { routes } from '#functions/api/routes';
import { Problem } from '#functions/http/problem';
import type { Route } from '#functions/http/route';
import { functions } from '#functions/manifest';
import { grantedPlatform } from '#local/granted';
import { RouteTable } from '#local/route-table';
import { Sessions } from '#shared/auth/sessions';
import { SigningKeys } from '#shared/auth/signing-keys';
import { newSession, type SessionId } from '#shared/auth/stored-session';
import { issueAccessToken } from '#shared/auth/tokens';
import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { testContext } from './test-platform.ts';
import { awakeOn, VirtualClock } from './virtual-clock.ts';

/** A request as a client makes it. An object as `body` is sent as JSON with its content type, a string as it is. */
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
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape; each was checked against its schema
  readonly body: any;
  readonly text: string;
}

type Invoke = (event: unknown, context: unknown) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * The HTTP API without a server: finds the route as API Gateway does, asks the authorizer, and calls the route's function,
 * each on a platform with the grants of its manifest entry.
 * Every answer is held against its declaration: a problem against the schema of problems, any other against the route's.
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

  /** @param target path and query */
  const request = async (method: string, target: string, asked: ClientRequest = {}): Promise<ClientAnswer> => {
    const [path = '', query = ''] = target.split(/\?(.*)/s);
    const match = table.find(method, path);
    const event = httpEvent(method, path, query, asked);
    const route = match?.destination.route;
    if (match !== undefined) Object.assign(event, routed(match.destination.routeKey, match.params));
    if (route !== undefined && route.scope !== 'public') {
      const verdict = (await authorizer?.({ ...event, type: 'REQUEST' }, testContext)) as unknown as {
        context: object;
      };
      Object.assign(event.requestContext, { authorizer: { lambda: verdict.context } });
    }
    const invoke = match?.destination.target ?? fallback;
    if (invoke === undefined) throw new TypeError('No function takes what no route matches');
    const { clock } = platform;
    const answered = invoke(event, testContext);
    // A refused login, and who writes the same trail at the same moment, wait a little.
    const result = await (clock instanceof VirtualClock ? awakeOn(clock, answered) : answered);
    const text = result.body ?? '';
    const headers = result.headers as Record<string, string>;
    const isJson = /json/.test(headers['content-type'] ?? '');
    const answer = { status: result.statusCode ?? 0, headers, body: isJson ? JSON.parse(text) : text, text };
    checkDeclared(route, event.requestContext.requestId, answer);
    return answer;
  };

  return { request };
};
export type TestHttpApi = Awaited<ReturnType<typeof httpApi>>;

let requests = 0;

const httpEvent = (method: string, path: string, query: string, asked: ClientRequest): APIGatewayProxyEventV2 => {
  const { body } = asked;
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
      ...(asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` }),
      ...asked.headers,
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
        sourceIp: asked.sourceAddress ?? '203.0.113.7',
        userAgent: asked.userAgent ?? 'test',
      },
      requestId: `request-${requests}`,
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: Date.UTC(2026, 0, 1),
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    isBase64Encoded: asked.isBase64Encoded ?? false,
  };
};

const routed = (routeKey: string, params: Readonly<Record<string, string>> | undefined) => ({
  routeKey,
  ...(params && {
    pathParameters: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decoded(value)])),
  }),
});

/** API Gateway refuses a path with an invalid percent-encoding; here it arrives as it is. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Repeated parameters arrive joined by commas. */
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
  if (headers['x-request-id'] !== requestId) throw new Error(`${where}: without its request id`);
  if (status >= 400) {
    if (headers['content-type'] !== 'application/problem+json') throw new Error(`${where}: not a problem document`);
    const problem = Problem.parse(body);
    if (problem.status !== status || problem.requestId !== requestId)
      throw new Error(`${where}: not its own status or id`);
    return;
  }
  const schema = route?.response[status];
  if (schema === undefined) throw new Error(`${where}: a status that is not declared`);
  if (schema === null) {
    if (text !== '') throw new Error(`${where}: a body where none is declared`);
    return;
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Error(`${where}: not as declared: ${parsed.error.message}`);
};

/** A token as login gives it, of a session of its own, without the cost of a password. The user need not exist. */
export const tokenOf = async (platform: Platform, userId: UserId, role: Role): Promise<string> => {
  const client = { address: '203.0.113.7', userAgent: 'test' };
  const session = newSession({ userId, role }, platform.ids.next() as SessionId, client, platform.clock.now());
  await platform.table.put(session);
  return await issueAccessToken(await new SigningKeys(platform).current(), platform, session);
};

/** What login gives to a user, without the cost of a password. */
export const logInAs = async (platform: Platform, userId: UserId, userAgent = 'test') => {
  const client = { address: '203.0.113.7', userAgent };
  const { session, refreshToken } = await new Sessions(platform).open(userId, client);
  const accessToken = await issueAccessToken(await new SigningKeys(platform).current(), platform, session);
  return { accessToken, refreshToken };
};

/** A path of the route in which parameters stand for nothing that exists. */
export const pathOf = ({ path }: Route): string => path.replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000');

/** Every route, as `describe.each` and `it.each` take them. */
export const namedRoutes = routes.map((route) => ({ name: `${route.method} ${route.path}`, route }));
