/**
 * What can go wrong, in the domain's words. Adapters translate SDK and ccxt errors into these; the gateway turns them
 * into problem documents by their `code`, which never changes.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
}

/** A condition on an item did not hold: somebody else was first, or the item is not what the caller believed. */
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
