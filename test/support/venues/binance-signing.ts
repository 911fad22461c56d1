/** Who signed a request to the Binance double, checked as in Binance's documentation of endpoint security. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Answer } from './binance-routes.ts';
import { refusal } from './binance-routes.ts';
import type { VenueAccount, VenueAccounts } from './venue-accounts.ts';
import type { VenueRequest } from './venue-server.ts';

const recvWindowDefaultMs = 5000;
const recvWindowMaxMs = 60_000;
/** How far ahead of Binance's clock a timestamp may be. */
const aheadMs = 1000;

/** @returns the account whose key signed the request, and its parameters; the refusal otherwise */
export const signer = (
  accounts: VenueAccounts,
  request: VenueRequest,
): { readonly account: VenueAccount; readonly query: URLSearchParams } | Answer => {
  const apiKey = request.headers['x-mbx-apikey'];
  if (typeof apiKey !== 'string' || !/^[A-Za-z0-9]{1,64}$/.test(apiKey)) {
    return refusal(-2014, 'API-key format invalid.', 401);
  }
  const signed = request.rawQuery + request.body;
  const query = new URLSearchParams([request.rawQuery, request.body].filter((part) => part !== '').join('&'));
  const [timestamp, recvWindowMs] = [query.get('timestamp'), Number(query.get('recvWindow') ?? recvWindowDefaultMs)];
  for (const name of ['timestamp', 'signature']) {
    if (!query.get(name)) {
      return refusal(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
    }
  }
  if (recvWindowMs > recvWindowMaxMs) return refusal(-1131, 'recvWindow must be less than 60000');
  if (Number(timestamp) > request.at + aheadMs) {
    return refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.");
  }
  if (!(request.at - Number(timestamp) <= recvWindowMs)) {
    return refusal(-1021, 'Timestamp for this request is outside of the recvWindow.');
  }
  const account = accounts.find(apiKey);
  if (account === undefined) return noPermission;
  const expected = createHmac('sha256', account.key.secret)
    .update(signed.replace(/&?signature=[^&]*/, ''))
    .digest();
  const signature = Buffer.from(query.get('signature') ?? '', 'hex');
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    return refusal(-1022, 'Signature for this request is not valid.');
  }
  return account.key.permissions.includes('read') ? { account, query } : noPermission;
};

const noPermission = refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
