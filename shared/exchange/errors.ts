import { DomainError } from '#shared/platform/errors';

/** Classes of failure of a venue, each with a strategy of its own. */
export type VenueFailure =
  | 'retryable'
  | 'rate-limited'
  | 'authentication'
  | 'permission'
  | 'invalid-order'
  | 'insufficient-funds'
  | 'maintenance'
  | 'not-supported'
  | 'unknown';

/** A venue refused or failed. The message is for people and holds no secret, no address and no request. */
export class VenueError extends DomainError {
  readonly code = 'venue-error';
  override readonly name = 'VenueError';
  readonly venue: string;
  readonly failure: VenueFailure;
  /** When to retry, where the venue said so: milliseconds from now. */
  readonly retryAfterMs: number | undefined;
  constructor(
    venue: string,
    failure: VenueFailure,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.venue = venue;
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}
