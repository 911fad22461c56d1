import type { APIGatewayProxyStructuredResultV2, APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import { mayConnect } from '#functions/http/cors';
import { HttpProblem, isOurFault, type Problem, problemOf } from '#functions/http/problem';
import { instrumented } from '#functions/instrumented';
import { Connections } from '#shared/connections/connections';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Conversation } from '#shared/realtime/conversation';
import { Handshakes } from '#shared/realtime/handshakes';
import { Refusal } from '#shared/realtime/refusal';

/** API Gateway's events say more than their type: $connect has the handshake's headers, every event its client's address. */
type SocketEvent = APIGatewayProxyWebsocketEventV2 & {
  readonly requestContext: { readonly identity?: { readonly sourceIp: string } };
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
};

/** The events of WebSocket connections: handshakes, messages and ends. */
export const createSockets = (platform: Platform) => {
  const connections = new Connections(platform);
  const handshakes = new Handshakes(platform);
  const conversation = new Conversation(platform);

  const connect = async (event: SocketEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const page = { origin: headerOf(event, 'origin'), host: headerOf(event, 'host') };
    if (!mayConnect(page, platform.config.http.corsOrigins)) {
      return refusal(event, new HttpProblem('forbidden', 'Pages of this origin may not connect.'));
    }
    const { token, subprotocol } = tokenOf(event);
    const { connectionId, identity } = event.requestContext;
    try {
      await handshakes.accept({ connectionId, token, address: identity?.sourceIp });
    } catch (error) {
      if (error instanceof Refusal) return refusal(event, error);
      throw error;
    }
    // A client that offers subprotocols needs one of them back; the token itself is not repeated.
    return { statusCode: 200, ...(subprotocol ? { headers: { 'Sec-WebSocket-Protocol': subprotocol } } : {}) };
  };

  const receive = async ({ requestContext, body }: SocketEvent): Promise<void> => {
    const { connectionId, requestId } = requestContext;
    await conversation.receive(connectionId, body ?? '', (error): Problem => {
      const { problem } = problemOf(error, '/ws', requestId);
      if (isOurFault(problem)) platform.logger.error('A message could not be handled', { error: error as Error });
      return problem;
    });
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
const refusal = ({ requestContext }: SocketEvent, error: HttpProblem | Refusal): APIGatewayProxyStructuredResultV2 => {
  const { problem, headers } = problemOf(error, '/ws', requestContext.requestId);
  const seconds = error instanceof Refusal ? error.retryAfterSeconds : undefined;
  const more = {
    'content-type': 'application/problem+json',
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
  };
  return { statusCode: problem.status, headers: { ...headers, ...more }, body: JSON.stringify(problem) };
};

export const handler = onLambda(createSockets);
