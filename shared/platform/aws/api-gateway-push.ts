import {
  ApiGatewayManagementApiClient,
  type ApiGatewayManagementApiClientConfig,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { DomainError, Unavailable } from '../errors.ts';
import type { Push } from '../ports.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf, statusOf } from './failures.ts';

const goneStatus = 410;

/** A frame that takes longer counts as not sent: a connection that does not answer must not block the others. */
const sendTimeoutMs = 1_500;
const sendAttemptsMax = 2;
const SEND_OPTIONS = {
  maxAttempts: sendAttemptsMax,
  requestHandler: {
    ...CLIENT_OPTIONS.requestHandler,
    requestTimeout: sendTimeoutMs,
    socketTimeout: sendTimeoutMs,
  },
} as const;

export const socketsClient = (own: ApiGatewayManagementApiClientConfig) =>
  new ApiGatewayManagementApiClient({ ...SEND_OPTIONS, ...own });

/** Sends to the connections of an API Gateway WebSocket API. */
export class ApiGatewayPush implements Push {
  readonly #client: ApiGatewayManagementApiClient;

  constructor(client: ApiGatewayManagementApiClient) {
    this.#client = client;
  }

  async send(connectionId: string, frame: string): Promise<'sent' | 'gone'> {
    const command = new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(frame) });
    try {
      await this.#client.send(command);
      return 'sent';
    } catch (error) {
      return unlessGone(error);
    }
  }

  async close(connectionId: string): Promise<void> {
    await this.#client.send(new DeleteConnectionCommand({ ConnectionId: connectionId })).catch(unlessGone);
  }
}

const unlessGone = (error: unknown): 'gone' => {
  if (nameOf(error) === 'GoneException' || statusOf(error) === goneStatus) return 'gone';
  const failure = failureOf('The socket gateway', error);
  throw failure instanceof DomainError
    ? failure
    : new Unavailable('The socket gateway refused the frame', { cause: error });
};
