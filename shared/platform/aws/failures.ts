import { TimedOut, Unavailable } from '../errors.ts';

const networkCodes = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
]);

const timeoutNames = new Set(['AbortError', 'RequestTimeout', 'RequestTimeoutException', 'TimeoutError']);

const throttlingNames = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/** A service's name for an error. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

/** The HTTP status of a service's answer, if there was one. */
export const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error && '$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
};

/**
 * What an error of an AWS client means to the domain: {@link Unavailable} for throttling, faults and the network,
 * {@link TimedOut} for time-outs. Any other error comes back as it is: the request itself was wrong.
 * @param service what people know it as; it begins the message
 */
export const failureOf = (service: string, error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const status = statusOf(error);
  if (networkCodes.has(code)) return new Unavailable(`${service} can't be reached`, { cause: error });
  if (code === 'ETIMEDOUT' || timeoutNames.has(error.name)) {
    return new TimedOut(`${service} did not answer in time`, { cause: error });
  }
  if (throttlingNames.has(error.name) || status === 429) {
    return new Unavailable(`${service} has too much to do`, { cause: error });
  }
  if (status !== undefined && status >= 500) return new Unavailable(`${service} failed`, { cause: error });
  return error;
};
