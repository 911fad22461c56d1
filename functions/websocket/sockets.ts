import type { APIGatewayProxyStructuredResultV2, APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import { mayConnect } from '#functions/http/cors';
import { HttpProblem, isOurFault, type Problem, problemOf } from '#functions/http/problem';
import { instrumented } from '#functions/instrumented';
import { TokenVerifier } from '#shared/auth/tokens';
import { Connections } from '#shared/connections/connections';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Conversation } from '#shared/realtime/conversation';

/** API Gateway's $connect event has the handshake's headers, which its type leaves out. */
type SocketEvent = APIGatewayProxyWebsocketEventV2 & {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
};

/** The events of WebSocket connections: handshakes, messages and ends. */
export const createSockets = (platform: Platform) => {
  const connections = new Connections(platform);
  const verifier = new TokenVerifier(platform);
  const conversation = new Conversation(platform);

  const connect = async (event: SocketEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const page = { origin: headerOf(event, 'origin'), host: headerOf(event, 'host') };
    if (!mayConnect(page, platform.config.corsOrigins)) {
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
const refusal = ({ requestContext }: SocketEvent, error: HttpProblem): APIGatewayProxyStructuredResultV2 => {
  const { problem, headers } = problemOf(error, '/ws', requestContext.requestId);
  const contentType = { 'content-type': 'application/problem+json' };
  return { statusCode: problem.status, headers: { ...contentType, ...headers }, body: JSON.stringify(problem) };
};

export const handler = onLambda(createSockets);
