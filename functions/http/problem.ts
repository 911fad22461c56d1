import * as z from 'zod';
import { TooManyAttempts } from '#shared/auth/login-delays';
import { SessionEnded, WrongCredentials } from '#shared/auth/refusals';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { DomainError, InvalidInput } from '#shared/platform/errors';

/** Every type of problem, with its status and title. The key is the last segment of the problem's `type` and never changes. */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'invalid-cursor': { status: 400, title: 'The cursor is not valid for this list' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  'invalid-credentials': { status: 401, title: 'The email address or the password is wrong' },
  'totp-required': { status: 401, title: 'A second-factor code is required' },
  'invalid-totp': { status: 401, title: 'The second-factor code is wrong' },
  'invalid-refresh-token': { status: 401, title: 'The refresh token is not valid' },
  'refresh-reused': { status: 401, title: 'The refresh token was used before; its session has ended' },
  'wrong-credentials': { status: 403, title: 'The password or the second-factor code is wrong' },
  'confirmation-required': { status: 403, title: 'The password has to be confirmed first' },
  forbidden: { status: 403, title: 'The caller is not allowed to do this' },
  'registration-closed': { status: 403, title: 'Registration is closed' },
  'not-found': { status: 404, title: 'The resource does not exist' },
  'method-not-allowed': { status: 405, title: 'The path does not support this method' },
  conflict: { status: 409, title: 'The request conflicts with the current state' },
  'condition-failed': { status: 409, title: 'The resource was changed in the meantime' },
  'transaction-canceled': { status: 409, title: 'The resource was changed in the meantime' },
  'limit-exceeded': { status: 409, title: 'A limit has been reached' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'invalid-mailed-token': { status: 422, title: 'The token is no longer valid' },
  'invalid-input': { status: 422, title: 'The input is not valid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'venue-error': { status: 502, title: 'The exchange rejected the request or failed' },
  unavailable: { status: 503, title: 'A required service is unavailable' },
  'timed-out': { status: 504, title: 'A required service took too long to respond' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** A problem document (RFC 9457). `type` is a URL relative to the API, which explains the problem. */
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

/** An error that is answered with the problem document it describes. */
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

/** The challenge of a 401; RFC 6750, section 3, requires at least one parameter. */
export const BEARER = 'Bearer realm="alphapulse"';
/** The challenge where a token or key was sent and is refused. */
export const INVALID_TOKEN = `${BEARER}, error="invalid_token"`;

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** The problem document and headers that answer an error. Unexpected errors reveal nothing but the request id. */
export const problemOf = (error: unknown, instance: string, requestId: string): ProblemAnswer => {
  const { code, detail, status = PROBLEMS[code].status, headers, errors } = described(error, requestId);
  const { title } = PROBLEMS[code];
  const problem: Problem = { type: `/problems/${code}`, title, status, detail, instance, requestId };
  return {
    problem: errors ? { ...problem, errors } : problem,
    // A 401 always carries a challenge (RFC 9110, 15.5.2).
    headers: { ...(status === 401 ? { 'www-authenticate': BEARER } : {}), ...headers },
  };
};

interface Described {
  readonly code: ProblemCode;
  readonly detail: string;
  /** Where it differs from that of the code. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly errors?: Problem['errors'];
}

const described = (error: unknown, requestId: string): Described => {
  if (error instanceof HttpProblem) {
    const { code, message: detail, headers, errors } = error;
    return { code, detail, headers, errors };
  }
  if (error instanceof VenueError) {
    const { failure, message: detail, retryAfterMs } = error;
    const headers = retryAfterMs === undefined ? {} : retryAfter(retryAfterMs);
    return { code: 'venue-error', detail, status: statusOfVenueFailure[failure], headers };
  }
  if (error instanceof InvalidInput) {
    const { path, message } = error;
    return { code: 'invalid-input', detail: message, errors: [{ path, message }] };
  }
  if (error instanceof SessionEnded) {
    return { code: error.code, detail: error.message, headers: { 'www-authenticate': INVALID_TOKEN } };
  }
  if (error instanceof WrongCredentials) {
    const { code, path, message } = error;
    return { code, detail: message, errors: [{ path, message }] };
  }
  if (error instanceof TooManyAttempts) {
    return { code: 'too-many-requests', detail: error.message, headers: retryAfter(error.retryAfterMs) };
  }
  if (error instanceof DomainError && isProblemCode(error.code)) return { code: error.code, detail: error.message };
  return { code: 'internal', detail: `If this persists, report it with the request id ${requestId}.` };
};

const retryAfter = (milliseconds: number) => ({ 'retry-after': String(Math.ceil(milliseconds / 1000)) });

/** Whether the operator should know about it: it was not caused by the caller. */
export const isOurFault = (problem: Problem): boolean => problem.status >= 500;
