import { DomainError } from '#shared/platform/errors';

export type RefusalCode =
  | 'malformed-request'
  | 'invalid-input'
  | 'unauthenticated'
  | 'forbidden'
  | 'limit-exceeded'
  | 'too-many-requests';

/** What a client sends or asks for is refused. */
export class Refusal extends DomainError {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** When to try again, where that helps. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: RefusalCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
