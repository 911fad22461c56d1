import type { VenueFailure } from '#shared/exchange/errors';
import { VenueError } from '#shared/exchange/errors';

type Meaning = readonly [failure: VenueFailure, phrase: string];

const unreachable: Meaning = ['retryable', 'could not be reached'];
const unavailable: Meaning = ['retryable', 'is not available right now'];
const garbled: Meaning = ['retryable', 'gave an answer that could not be understood'];
const rateLimited: Meaning = ['rate-limited', 'rate-limited the request'];
const badOrder: Meaning = ['invalid-order', 'refused the order'];
const restricted: Meaning = ['permission', 'does not serve the region this request came from'];
const refused: Meaning = ['unknown', 'refused the request'];

/** What each error class of ccxt means, by its `name` (a literal, which survives minification; a test keeps the list complete). */
const meanings: Readonly<Record<string, Meaning>> = {
  AuthenticationError: ['authentication', 'did not accept the API key'],
  PermissionDenied: ['permission', 'does not allow this with the API key'],
  AccountNotEnabled: ['permission', 'has not enabled the account for this'],
  AccountSuspended: ['permission', 'has suspended the account'],
  ManualInteractionNeeded: ['permission', 'wants something confirmed on its own site first'],
  RestrictedLocation: restricted,

  InsufficientFunds: ['insufficient-funds', 'reports insufficient funds'],

  InvalidOrder: badOrder,
  OrderNotFound: ['invalid-order', 'does not know the order'],
  OrderNotCached: ['invalid-order', 'does not know the order'],
  OrderImmediatelyFillable: badOrder,
  OrderNotFillable: badOrder,
  DuplicateOrderId: ['invalid-order', 'has seen an order with this id before'],
  ContractUnavailable: badOrder,
  MarketClosed: ['invalid-order', 'has closed this market'],
  OperationRejected: badOrder,

  RateLimitExceeded: rateLimited,
  DDoSProtection: rateLimited,
  OnMaintenance: ['maintenance', 'is under maintenance'],

  NetworkError: unreachable,
  RequestTimeout: ['retryable', 'did not answer in time'],
  ExchangeNotAvailable: unavailable,
  InvalidNonce: ['retryable', 'refused the time stamp of the request'],
  ChecksumError: garbled,
  OperationFailed: unavailable,
  BadResponse: garbled,
  NullResponse: garbled,
  CancelPending: ['retryable', 'is still canceling the order'],

  NotSupported: ['not-supported', 'does not offer this'],
  BadSymbol: ['not-supported', 'does not have this market'],

  BaseError: refused,
  ExchangeError: refused,
  BadRequest: refused,
  ArgumentsRequired: refused,
  NoChange: refused,
  MarginModeAlreadySet: refused,
  InvalidAddress: refused,
  AddressPending: refused,
  InvalidProxySettings: refused,
  ExchangeClosedByUser: refused,
  UnsubscribeError: refused,
};

/** Names of the ccxt error classes that have a meaning here. */
export const knownErrors: readonly string[] = Object.keys(meanings);

/** Failures where the venue's own words help the user. For others they would add nothing. */
const explained: ReadonlySet<VenueFailure> = new Set([
  'authentication',
  'permission',
  'invalid-order',
  'insufficient-funds',
  'not-supported',
  'unknown',
]);

// ccxt has no class of its own for HTTP 451 (`binance GET https://… 451 …`), and most venues that block a region say
// so with another status.
export const regionBlock =
  /^\S+ [A-Z]+ \S+ 451 |restricted location|block access from your country|(?:your|this) (?:country|region)/i;

// Kraken's words for a wrong secret, which ccxt does not map.
const badSignature = /EAPI:Invalid signature/;

// Kraken locks a key out for about a quarter of an hour, and each further call prolongs that
// (https://support.kraken.com/articles/360001491786-api-error-messages).
const lockout = /EGeneral:Temporary lockout/;
const lockoutMs = 15 * 60_000;

/**
 * A {@link VenueError} for any error of a ccxt call. ccxt's messages hold URLs, signatures and bodies: neither
 * they nor the error itself go any further; `cause` is the name of ccxt's class.
 * @param retryAfterMs when to retry, as the venue last said; used where it limits the rate or is down
 * @param secrets what must not be quoted if the venue repeats it
 */
export const translate = (
  venue: string,
  error: unknown,
  retryAfterMs?: number,
  secrets: readonly string[] = [],
): VenueError => {
  if (error instanceof VenueError) return error;
  const [name, text] = error instanceof Error ? [error.name, error.message] : ['unknown', ''];
  const known = badSignature.test(text) ? meanings.AuthenticationError : meanings[name];
  const [failure, phrase] = known === undefined ? garbled : regionBlock.test(text) ? restricted : known;
  const detail = known !== undefined && explained.has(failure) ? venueWords(venue, without(secrets, text)) : undefined;
  const waitMs = lockout.test(text) ? Math.max(retryAfterMs ?? 0, lockoutMs) : retryAfterMs;
  const comesBack = failure === 'rate-limited' || failure === 'maintenance' || failure === 'retryable';
  return new VenueError(venue, failure, `${venue} ${phrase}${detail === undefined ? '' : `: ${detail}`}`, {
    cause: name,
    ...(comesBack && waitMs !== undefined && { retryAfterMs: waitMs }),
  });
};

const without = (secrets: readonly string[], text: string): string =>
  secrets.filter((secret) => secret !== '').reduce((rest, secret) => rest.replaceAll(secret, '…'), text);

/** Longest quotation of a venue, characters. */
const quotedCharactersMax = 160;
/** Where venues put their explanation in an error body. */
const explanationFields = ['msg', 'message', 'retMsg', 'error', 'err_msg', 'errmsg', 'error_description', 'detail'];

/** The venue's explanation out of ccxt's message, which is `id text`, `id body` or `id METHOD url status reason body`. */
const venueWords = (venue: string, text: string): string | undefined => {
  const body = text.search(/[[{]/);
  const words =
    body >= 0 ? explanation(text.slice(body)) : text.startsWith(`${venue} `) ? text.slice(venue.length) : '';
  if (words === undefined || /[<>]|\w+:\/\//.test(words)) return undefined;
  const safe = words
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '…')
    // Long unbroken runs are keys, signatures and ids.
    .replace(/[\w+/=.-]{20,}/g, '…')
    .replace(/\s+/g, ' ')
    .trim();
  return safe === '' ? undefined : safe.slice(0, quotedCharactersMax);
};

const explanation = (body: string): string | undefined => {
  try {
    const answer: unknown = JSON.parse(body);
    const candidates: unknown[] = explanationFields.map((field) => property(answer, field));
    const found = candidates.map((value) => (Array.isArray(value) ? value[0] : value));
    return found.find((value): value is string => typeof value === 'string' && value !== '');
  } catch {
    return undefined;
  }
};

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
