/** Users of the suite, each a new one. */
import { randomUUID } from 'node:crypto';
import { ApiClient } from '../support/client.ts';
import { tokenIn } from '../support/credentials.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually, mailsTo, send, target } from './target.ts';

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

/** Proves the address with what was mailed there; where mails stay on the machine there is nothing to prove. */
export const verifyEmail = async (email: string): Promise<void> => {
  if (target.runtime === 'local') return;
  const mails = await eventually('the mail that verifies an address', async () => {
    const sent = await mailsTo(email);
    return sent.length > 0 && sent;
  });
  const body = JSON.stringify({ token: tokenIn(mails, 'apev') });
  const { status } = await send('POST', '/api/user/email/verify', body, json);
  if (status !== 204) throw new Error(`The address was not verified: ${status}`);
};

/** Opens a socket with the token in the query, which every runtime can do. */
export const openSocket = (token: string): Promise<SocketClient> =>
  SocketClient.open(`${target.socketUrl}?token=${encodeURIComponent(token)}`);
