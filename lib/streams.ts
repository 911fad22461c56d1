import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { DeployedFunction } from './deployed-function.ts';
import type { Queues } from './queues.ts';

/** DynamoDB throttles a shard that more than two read. */
const STREAM_CONSUMERS_MAX = 2;
/**
 * Throttled attempts don't count as retries, so the record's age ends them. A dead letter holds only the position of a
 * record in the stream, which expires after 24 hours: half of that is left for an operator to redrive it.
 */
const maxRecordAge = Duration.hours(12);

/**
 * Hands the changes of the table to the functions that declare which kinds of items they follow.
 * @throws {Error} more functions than a shard of the stream bears
 */
export const followTable = (table: Table, functions: readonly DeployedFunction[], queues: Queues): void => {
  const consumers = functions.flatMap(({ entry: { name, trigger }, lambda }) =>
    trigger.type === 'stream' ? [{ name, trigger, lambda }] : [],
  );
  if (consumers.length > STREAM_CONSUMERS_MAX) {
    const names = consumers.map(({ name }) => name).join(', ');
    throw new Error(
      `At most ${STREAM_CONSUMERS_MAX} functions may follow the table's stream, the manifest has ${names}`,
    );
  }
  for (const { trigger, lambda } of consumers) {
    const deadLetters = queues.get(trigger.deadLetters);
    new EventSourceMapping(lambda, 'Changes', {
      target: lambda,
      eventSourceArn: streamArnOf(table),
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.or('INSERT', 'MODIFY'),
          dynamodb: { NewImage: { kind: { S: FilterRule.or(...trigger.kinds) } } },
        }),
      ],
      batchSize: trigger.batchSize,
      // One batch of a shard at a time: changes of an item are seen in their order.
      parallelizationFactor: 1,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: trigger.maxAttempts - 1,
      maxRecordAge,
      onFailure: { bind: () => ({ destination: deadLetters.queueArn }) },
    });
  }
};

/** @throws {Error} the table has no stream */
export const streamArnOf = (table: Table): string => {
  if (table.tableStreamArn === undefined) throw new Error('The table has no stream');
  return table.tableStreamArn;
};
