import * as z from 'zod';
import { TooManyAttempts } from '#shared/auth/login-delays';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { DomainError, InvalidInput } from '#shared/platform/errors';

/** Every kind of problem an answer can tell of: its status and title. The key is the last part of its `type` and never changes. */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request can not be read' },
  'invalid-cursor': { status: 400, title: 'The cursor was not made by this list' },
  unauthenticated: { status: 401, title: 'Log in first' },
  'invalid-credentials': { status: 401, title: 'The mail address or the password is wrong' },
  'totp-required': { status: 401, title: 'A code of the second factor is needed' },
  'invalid-totp': { status: 401, title: 'The code of the second factor is wrong' },
  'invalid-refresh-token': { status: 401, title: 'The refresh token is not valid' },
  forbidden: { status: 403, title: 'This is not allowed to the caller' },
  'registration-closed': { status: 403, title: 'Registration is closed' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The path does not offer this method' },
  conflict: { status: 409, title: 'The request conflicts with the present state' },
  'condition-failed': { status: 409, title: 'It was changed meanwhile' },
  'transaction-canceled': { status: 409, title: 'It was changed meanwhile' },
  'limit-exceeded': { status: 409, title: 'A limit is reached' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'invalid-mailed-token': { status: 422, title: 'The token is not good any more' },
  'invalid-input': { status: 422, title: 'The input is not valid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'venue-error': { status: 502, title: 'The exchange refused or failed' },
  unavailable: { status: 503, title: 'A service that is needed does not answer' },
  'timed-out': { status: 504, title: 'A service that is needed took too long' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** A problem document (RFC 9457). `type` is a reference relative to the API, where the problem is explained. */
export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).exactOptional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** An error that becomes a problem document as it is. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: Problem['errors'];
  constructor(
    code: ProblemCode,
    detail: string,
    options: { headers?: Record<string, string>; errors?: NonNullable<Problem['errors']> } = {},
  ) {
    super(detail);
    this.code = code;
    this.headers = options.headers ?? {};
    this.errors = options.errors;
  }
}

const statusOfVenueFailure: Readonly<Record<VenueFailure, number>> = {
  retryable: 502,
  'rate-limited': 503,
  authentication: 502,
  permission: 502,
  'invalid-order': 422,
  'insufficient-funds': 422,
  maintenance: 503,
  'not-supported': 422,
  unknown: 502,
};

export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Record<string, string>;
}

/** The challenge of a 401; one parameter is the least that RFC 6750, section 3, allows. */
export const BEARER = 'Bearer realm="alphapulse"';

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** What an error tells the caller. An error that nobody foresaw tells nothing but that it happened. */
export const problemOf = (error: unknown, instance: string, requestId: string): ProblemAnswer => {
  const answer = (
    code: ProblemCode,
    detail: string,
    more: Partial<Pick<ProblemAnswer, 'headers'>> = {},
    errors?: Problem['errors'],
  ): ProblemAnswer => {
    const { status, title } = PROBLEMS[code];
    const problem: Problem = { type: `/problems/${code}`, title, status, detail, instance, requestId };
    // A 401 always names a challenge (RFC 9110, 15.5.2).
    const headers = { ...(status === 401 ? { 'www-authenticate': BEARER } : {}), ...more.headers };
    return { headers, problem: errors ? { ...problem, errors } : problem };
  };
  if (error instanceof HttpProblem)
    return answer(error.code, error.message, { headers: { ...error.headers } }, error.errors);
  if (error instanceof VenueError) {
    const told = answer('venue-error', error.message);
    const seconds = error.retryAfterMs === undefined ? undefined : Math.ceil(error.retryAfterMs / 1000);
    return {
      problem: { ...told.problem, status: statusOfVenueFailure[error.failure] },
      headers: seconds === undefined ? {} : { 'retry-after': String(seconds) },
    };
  }
  if (error instanceof InvalidInput) {
    return answer('invalid-input', error.message, {}, [{ path: error.path, message: error.message }]);
  }
  if (error instanceof TooManyAttempts) {
    const seconds = Math.ceil(error.retryAfterMs / 1000);
    return answer('too-many-requests', error.message, { headers: { 'retry-after': String(seconds) } });
  }
  if (error instanceof DomainError && isProblemCode(error.code)) return answer(error.code, error.message);
  return answer('internal', `Please report this request id: ${requestId}.`);
};

/** Whether the operator should know of it: the caller can't have caused it. */
export const isOurFault = (problem: Problem): boolean => problem.status >= 500;
