/** Users of the suite, each a new one. */
import { randomUUID } from 'node:crypto';
import { ApiClient } from '../support/client.ts';
import { SocketClient } from '../support/socket-client.ts';
import { send, target } from './target.ts';

export const password = 'correct horse battery staple';

export const newAddress = (): string => `${randomUUID()}@example.com`;

const json = 'application/json';

/** Somebody who registered and logged in. */
export const newUser = async () => {
  const email = newAddress();
  const credentials = JSON.stringify({ email, password });
  const registered = await send('POST', '/api/user/register', credentials, json);
  const loggedIn = await send('POST', '/api/user/login', credentials, json);
  const { accessToken } = loggedIn.body as { accessToken: string };
  return { email, registered, loggedIn, token: accessToken, client: new ApiClient(target.url, accessToken) };
};

/** Opens a socket with the token in the query, which every runtime can do. */
export const openSocket = (token: string): Promise<SocketClient> =>
  SocketClient.open(`${target.socketUrl}?token=${encodeURIComponent(token)}`);
