import { ConditionFailed, TransactionCanceled } from '../errors.ts';
import { failureOf, nameOf } from './failures.ts';

/** Why each write of a canceled transaction was not made, by position; undefined when the error is another. */
const cancellationReasons = (error: unknown): string[] | undefined => {
  if (nameOf(error) !== 'TransactionCanceledException') return undefined;
  const { CancellationReasons: reasons = [] } = error as {
    CancellationReasons?: readonly { readonly Code?: string }[];
  };
  return reasons.map(({ Code: code = 'None' }) => code);
};

const passingReasons = new Set([
  'None',
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
]);

/** Whether a write conflicted with a concurrent transaction on the item, or was throttled, and may be retried. */
export const isContention = (error: unknown): boolean => {
  const reasons = cancellationReasons(error);
  if (reasons === undefined) return nameOf(error) === 'TransactionConflictException';
  return reasons.every((reason) => passingReasons.has(reason));
};

/**
 * Throws what an error of DynamoDB means to the domain.
 * @throws {ConditionFailed | TransactionCanceled | Unavailable | TimedOut} or the error itself: the request was wrong
 */
export const refuse = (error: unknown): never => {
  if (nameOf(error) === 'ConditionalCheckFailedException') throw new ConditionFailed('The item is not as expected');
  const failed = (cancellationReasons(error) ?? []).flatMap((reason, position) =>
    reason === 'ConditionalCheckFailed' ? [position] : [],
  );
  if (failed.length > 0) throw new TransactionCanceled(failed);
  throw failureOf('The table', error);
};
