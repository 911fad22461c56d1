/**
 * What can go wrong, in the domain's words. Adapters translate SDK and ccxt errors into these; the gateway turns them
 * into problem documents by their `code`, which never changes.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
}

/** A condition on an item did not hold: another writer was first, or the item is not what the caller expected. */
export class ConditionFailed extends DomainError {
  readonly code = 'condition-failed';
  override readonly name = 'ConditionFailed';
}

/** A transaction was not made because conditions did not hold; the positions of those writes. */
export class TransactionCanceled extends DomainError {
  readonly code = 'transaction-canceled';
  override readonly name = 'TransactionCanceled';
  readonly failed: readonly number[];
  constructor(failed: readonly number[]) {
    super(`The conditions of writes ${failed.join(', ')} did not hold`);
    this.failed = failed;
  }
}

/** A service that we need did not answer or is overloaded; the same call may succeed later. */
export class Unavailable extends DomainError {
  readonly code = 'unavailable';
  override readonly name = 'Unavailable';
}

/** A call took longer than its limit; whether it had an effect is not known. */
export class TimedOut extends DomainError {
  readonly code = 'timed-out';
  override readonly name = 'TimedOut';
}

/** The resource does not exist, or not for this caller. */
export class NotFound extends DomainError {
  readonly code = 'not-found';
  override readonly name = 'NotFound';
}

/** The input has the right shape but can't be accepted. `path` names the field. */
export class InvalidInput extends DomainError {
  readonly code = 'invalid-input';
  override readonly name = 'InvalidInput';
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** The current state does not allow it: it exists already, or was changed concurrently. */
export class Conflict extends DomainError {
  readonly code = 'conflict';
  override readonly name = 'Conflict';
}

/** A limit of what one user may have is reached. */
export class LimitExceeded extends DomainError {
  readonly code = 'limit-exceeded';
  override readonly name = 'LimitExceeded';
}

/** A cursor that no page of this query gave: cut off, changed, or of another kind of query. */
export class InvalidCursor extends DomainError {
  readonly code = 'invalid-cursor';
  override readonly name = 'InvalidCursor';
}
