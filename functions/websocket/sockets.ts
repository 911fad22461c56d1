import type { APIGatewayProxyStructuredResultV2, APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { mayConnect } from '#functions/http/cors';
import { tooManyRequests } from '#functions/http/limits';
import { HttpProblem, problemOf } from '#functions/http/problem';
import { instrumented } from '#functions/instrumented';
import { TokenVerifier } from '#shared/auth/tokens';
import { type FeedChannel, feedChannelOf } from '#shared/connections/channel';
import { type Bearer, Connections, SUBSCRIPTIONS_PER_CONNECTION_MAX } from '#shared/connections/connections';
import { RateLimiter } from '#shared/limits/rate-limiter';
import { Catalog } from '#shared/market/catalog';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Feeds } from '#shared/realtime/feeds';

const channelsPerRequestMax = 50;
/** What a connection may say. It subscribes, unsubscribes and pings; one that says more is out of hand and closed. */
const messagesPerMinute = 240;
const Channels = z.array(z.string().max(120)).min(1).max(channelsPerRequestMax);
const ClientMessage = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('subscribe'),
    channels: Channels,
    since: z.record(z.string().max(120), z.int().min(0)).exactOptional(),
  }),
  z.strictObject({ action: z.literal('unsubscribe'), channels: Channels }),
  z.strictObject({ action: z.literal('ping') }),
]);

/** API Gateway's $connect event has the handshake's headers, which its type leaves out. */
type SocketEvent = APIGatewayProxyWebsocketEventV2 & {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
};

/** Sockets: who may connect, and what they listen to. */
export const createSockets = (platform: Platform) => {
  const connections = new Connections(platform);
  const feeds = new Feeds(platform, connections);
  const catalog = new Catalog(platform.table);
  const verifier = new TokenVerifier(platform);
  const limiter = new RateLimiter(platform);
  const messagesMax = Math.max(1, Math.floor(messagesPerMinute * platform.config.http.requestLimitFactor));

  const connect = async (event: SocketEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const page = { origin: headerOf(event, 'origin'), host: headerOf(event, 'host') };
    if (!mayConnect(page, platform.config.http.corsOrigins)) {
      return refusal(event, new HttpProblem('forbidden', 'Pages of this origin may not connect.'));
    }
    const { token, subprotocol } = tokenOf(event);
    const verdict = token === undefined ? undefined : await verifier.verify(token);
    if (verdict === undefined || 'refusal' in verdict) {
      return refusal(event, new HttpProblem('unauthenticated', 'Connect with a good access token.'));
    }
    await connections.open(event.requestContext.connectionId, verdict);
    // A client that offers subprotocols needs one of them back; the token itself is not repeated.
    return { statusCode: 200, ...(subprotocol ? { headers: { 'Sec-WebSocket-Protocol': subprotocol } } : {}) };
  };

  const subscribe = async (
    connectionId: string,
    bearer: Bearer,
    names: readonly string[],
    since: Record<string, number>,
  ) => {
    const { userId } = bearer;
    const channels = await Promise.all(names.map(async (name) => ({ name, channel: await openChannel(name) })));
    if (!(await connections.admit(connectionId, userId, names))) {
      const most = `A connection may listen to ${SUBSCRIPTIONS_PER_CONNECTION_MAX} channels; unsubscribe from some first.`;
      throw new HttpProblem('limit-exceeded', most);
    }
    const joining = await Promise.all(
      channels.map(async ({ name, channel }) => ({
        ...{ name, channel },
        start: await feeds.start(channel, userId, since[name]),
      })),
    );
    const first = joining.flatMap(({ start }) => start.first);
    if (!(await connections.send(connectionId, [{ type: 'subscribed', channels: names }, ...first]))) return;
    for (const { name, channel, start } of joining) {
      const subscription = await connections.subscribe(connectionId, bearer, name, start.lastSeq);
      await feeds.catchUp(channel, subscription);
      await feeds.started(userId, start);
    }
  };

  /** The channel of a name, with the symbol's price watched from now on. */
  const openChannel = async (name: string): Promise<FeedChannel> => {
    const channel = namedChannel(name);
    if (channel.type === 'prices') {
      if (!(await catalog.has(channel.venue, channel.symbol))) {
        throw new HttpProblem('invalid-input', `${channel.venue} does not trade ${channel.symbol}.`);
      }
      if (!platform.config.market.symbols.includes(channel.symbol)) await catalog.watch(channel.venue, channel.symbol);
    }
    return channel;
  };

  const answer = async (connectionId: string, bearer: Bearer, body: string | undefined): Promise<void> => {
    const message = parsed(body);
    if (message.action === 'ping') {
      await connections.send(connectionId, [{ type: 'pong' }]);
    } else if (message.action === 'subscribe') {
      await subscribe(connectionId, bearer, [...new Set(message.channels)], message.since ?? {});
    } else {
      const names = new Set(message.channels);
      for (const name of names) namedChannel(name);
      for (const name of names) await connections.unsubscribe(connectionId, bearer.userId, name);
    }
  };

  const receive = async ({ requestContext, body }: SocketEvent): Promise<void> => {
    const { connectionId, requestId } = requestContext;
    const bearer = await connections.bearerOf(connectionId);
    if (bearer === undefined) return await platform.push.close(connectionId);
    const refused = async (error: unknown): Promise<void> => {
      const { problem } = problemOf(error, '/ws', requestId);
      if (problem.status >= 500) platform.logger.error('A message could not be handled', { error: error as Error });
      await connections.send(connectionId, [{ type: 'error', problem }]);
    };
    try {
      const standing = await limiter.take(['CONNECTION', connectionId], 'messages', messagesMax);
      if (standing.isAllowed) return await answer(connectionId, bearer, body);
      await refused(tooManyRequests(standing));
      await platform.push.close(connectionId);
    } catch (error) {
      await refused(error);
    }
  };

  return instrumented(platform, async (event: SocketEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const { routeKey, connectionId } = event.requestContext;
    if (routeKey === '$connect') return await connect(event);
    if (routeKey === '$disconnect') await connections.forget(connectionId);
    else await receive(event);
    return { statusCode: 200 };
  });
};

/** The gateways pass names of headers on as they were sent. */
const headerOf = ({ headers }: SocketEvent, wanted: string): string | undefined =>
  Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];

/** The token of a handshake: after `bearer` in the subprotocols, or `token` in the query. */
const tokenOf = (event: SocketEvent): { token?: string; subprotocol?: string } => {
  const protocols = (headerOf(event, 'sec-websocket-protocol') ?? '').split(',').map((protocol) => protocol.trim());
  const bearer = protocols.findIndex((protocol) => protocol.toLowerCase() === 'bearer');
  const subprotocol = protocols[bearer];
  const token = (bearer === -1 ? undefined : protocols[bearer + 1]) ?? event.queryStringParameters?.token;
  return { ...(token === undefined ? {} : { token }), ...(subprotocol === undefined ? {} : { subprotocol }) };
};

/** API Gateway passes on the status alone. */
const refusal = ({ requestContext }: SocketEvent, error: HttpProblem): APIGatewayProxyStructuredResultV2 => {
  const { problem, headers } = problemOf(error, '/ws', requestContext.requestId);
  const contentType = { 'content-type': 'application/problem+json' };
  return { statusCode: problem.status, headers: { ...contentType, ...headers }, body: JSON.stringify(problem) };
};

const namedChannel = (name: string): FeedChannel => {
  const channel = feedChannelOf(name);
  if (channel !== undefined) return channel;
  throw new HttpProblem(
    'invalid-input',
    `There is no channel ${JSON.stringify(name)}; there are alerts and prices:<venue>:<symbol>.`,
  );
};

const parsed = (body: string | undefined): z.infer<typeof ClientMessage> => {
  let json: unknown;
  try {
    json = JSON.parse(body ?? '');
  } catch {
    throw new HttpProblem('malformed-request', 'The message is not valid JSON.');
  }
  const message = ClientMessage.safeParse(json);
  if (message.success) return message.data;
  const detail = message.error.issues
    .map(({ path, message: why }) => `${path.join('.') || 'message'}: ${why}`)
    .join('; ');
  throw new HttpProblem('invalid-input', detail.slice(0, 1000));
};

export const handler = onLambda(createSockets);
