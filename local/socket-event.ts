import type { IncomingMessage } from 'node:http';

/** The path of the WebSocket API. */
export const socketPath = '/ws';

/** What stays the same for the life of a connection. */
export interface ConnectionFacts {
  readonly connectionId: string;
  /** Epoch ms. */
  readonly connectedAt: number;
  readonly handshake: IncomingMessage;
  /** Where the handshake came from, as far as that is known. */
  readonly clientAddress: string;
}

/** One event of a connection. */
export interface EventFacts {
  readonly routeKey: '$connect' | '$default' | '$disconnect';
  readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
  readonly requestId: string;
  readonly at: number;
}

/**
 * An event as API Gateway's WebSocket API passes it to a function:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
 */
export const socketEvent = (connection: ConnectionFacts, { routeKey, eventType, requestId, at }: EventFacts) => ({
  requestContext: {
    routeKey,
    eventType,
    connectionId: connection.connectionId,
    connectedAt: connection.connectedAt,
    requestId,
    extendedRequestId: requestId,
    requestTimeEpoch: at,
    messageDirection: 'IN',
    domainName: connection.handshake.headers.host ?? 'localhost',
    stage: 'local',
    apiId: 'local',
    identity: {
      sourceIp: connection.clientAddress,
      userAgent: connection.handshake.headers['user-agent'] ?? '',
    },
  },
  isBase64Encoded: false,
});

/** What only a handshake's event has: its headers, with their names as sent, and its query. */
export const handshakeParts = ({ rawHeaders, url = '' }: IncomingMessage) => {
  const multiValueHeaders = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    append(multiValueHeaders, rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  const multiValueQuery = new Map<string, string[]>();
  const question = url.indexOf('?');
  if (question !== -1) {
    for (const [name, value] of new URLSearchParams(url.slice(question + 1))) append(multiValueQuery, name, value);
  }
  return {
    headers: lastOf(multiValueHeaders),
    multiValueHeaders: Object.fromEntries(multiValueHeaders),
    ...(multiValueQuery.size > 0 && {
      queryStringParameters: lastOf(multiValueQuery),
      multiValueQueryStringParameters: Object.fromEntries(multiValueQuery),
    }),
  };
};

const append = (map: Map<string, string[]>, name: string, value: string): void => {
  map.set(name, [...(map.get(name) ?? []), value]);
};

const lastOf = (map: ReadonlyMap<string, readonly string[]>): Record<string, string> =>
  Object.fromEntries([...map].map(([name, values]) => [name, values.at(-1) ?? '']));
