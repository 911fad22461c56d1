import { describe, expect, it } from 'vitest';
import { knownErrors, translate } from '#shared/exchange/venues/ccxt/errors';

const errors: Record<string, new (message: string) => Error> = (
  await import(new URL('./src/base/errors.js', import.meta.resolve('ccxt')).href)
).default;

const url = 'https://api.binance.com/api/v3/order?symbol=BTCUSDT&signature=5bc8a4d1f7e90b2c5bc8a4d1f7e90b2c';
const thrown = (name: string, message = `binance GET ${url} 400 Bad Request {"code":-1,"msg":"No."}`): Error => {
  const ErrorClass = errors[name];
  if (ErrorClass === undefined) throw new Error(`ccxt has no ${name}`);
  return new ErrorClass(message);
};

describe('the translation of ccxt errors', () => {
  it('knows every error class of ccxt', () => {
    expect(knownErrors.toSorted()).toEqual(Object.keys(errors).toSorted());
  });

  it.each(Object.keys(errors))('tells nothing of the request in a %s', (name) => {
    const error = translate('binance', thrown(name));
    expect(error.message).toMatch(/^binance [a-z]/);
    expect(JSON.stringify([error.message, error.cause, error])).not.toMatch(/https|api\.binance|signature|5bc8/);
    expect(error.cause).toBe(name);
  });

  it.each([
    ['AuthenticationError', 'authentication'],
    ['PermissionDenied', 'permission'],
    ['AccountNotEnabled', 'permission'],
    ['AccountSuspended', 'permission'],
    ['RestrictedLocation', 'permission'],
    ['InsufficientFunds', 'insufficient-funds'],
    ['InvalidOrder', 'invalid-order'],
    ['OrderNotFound', 'invalid-order'],
    ['DuplicateOrderId', 'invalid-order'],
    ['OrderImmediatelyFillable', 'invalid-order'],
    ['RateLimitExceeded', 'rate-limited'],
    ['DDoSProtection', 'rate-limited'],
    ['OnMaintenance', 'maintenance'],
    ['ExchangeNotAvailable', 'retryable'],
    ['NetworkError', 'retryable'],
    ['RequestTimeout', 'retryable'],
    ['InvalidNonce', 'retryable'],
    ['BadResponse', 'retryable'],
    ['NotSupported', 'not-supported'],
    ['BadSymbol', 'not-supported'],
    ['ExchangeError', 'unknown'],
    ['ArgumentsRequired', 'unknown'],
  ])('takes %s for %s', (name, failure) => {
    expect(translate('binance', thrown(name)).failure).toBe(failure);
  });

  it('takes what is no error of ccxt for an answer it can not read', () => {
    expect(translate('binance', new TypeError("reading 'x' of https://secret")).message).toBe(
      'binance gave an answer that could not be understood',
    );
  });

  it.each([
    [
      'ExchangeNotAvailable',
      `binance GET ${url} 451  {"code":0,"msg":"Service unavailable from a restricted location according to 'b. Eligibility'."}`,
    ],
    ['ExchangeNotAvailable', `bybit GET ${url} 451 Unavailable For Legal Reasons <html>`],
    [
      'ExchangeNotAvailable',
      `bybit GET ${url} 403 Forbidden The Amazon CloudFront distribution is configured to block access from your country.`,
    ],
  ])('says that a region is not served (%#)', (name, message) => {
    const error = translate('binance', thrown(name, message));
    expect(error.failure).toBe('permission');
    expect(error.message).toContain('does not serve the region');
  });

  it('quotes why an order was refused', () => {
    const error = thrown('InvalidOrder', 'binance {"code":-1013,"msg":"Filter failure: NOTIONAL"}');
    expect(translate('binance', error).message).toBe('binance refused the order: Filter failure: NOTIONAL');
  });

  it('leaves keys and addresses out of the quotation', () => {
    const message =
      'binance {"code":-2015,"msg":"Invalid API-key vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv, request ip: 203.0.113.9"}';
    expect(translate('binance', thrown('AuthenticationError', message)).message).toBe(
      'binance did not accept the API key: Invalid API-key …, request ip: …',
    );
  });

  it('keeps the time to come back for a rate limit, not for a refused order', () => {
    expect(translate('binance', thrown('RateLimitExceeded'), 7000).retryAfterMs).toBe(7000);
    expect(translate('binance', thrown('InvalidOrder'), 7000).retryAfterMs).toBeUndefined();
  });
});

describe("Kraken's temporary lockout", () => {
  it('is a rate limit that lasts a quarter of an hour, or as long as it says', () => {
    const error = thrown('DDoSProtection', 'kraken {"error":["EGeneral:Temporary lockout"]}');
    expect(translate('kraken', error)).toMatchObject({ failure: 'rate-limited', retryAfterMs: 900_000 });
    expect(translate('kraken', error, 3_600_000).retryAfterMs).toBe(3_600_000);
  });
});
