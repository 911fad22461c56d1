import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import type { Platform } from '#shared/platform/ports';
import type { StreamConsumer } from '#shared/platform/queues';
import { StreamStatus } from '#shared/platform/stream-status';
import type { Change, Item } from '#shared/platform/table';

const itemsAtOnce = 16;

/**
 * A stream consumer: hands over each change, those of one item in their order, different items side by side.
 * A change that fails holds back the later ones of its item; the batch reports where to go on from.
 */
export const onStream = (platform: Platform, consumer: StreamConsumer, consume: (change: Change) => Promise<void>) =>
  onStreamBatch(platform, consumer, async (changes) => {
    const failed = new Set<string>();
    const byItem = [...Map.groupBy(changes, ({ key }) => `${key.pk}\n${key.sk}`).values()];
    const consumeItem = async (ofItem: readonly Change[]) => {
      for (const [position, change] of ofItem.entries()) {
        try {
          await consume(change);
        } catch (error) {
          platform.logger.error('A change could not be consumed', { error: error as Error, kind: change.after?.kind });
          for (const { sequence } of ofItem.slice(position)) failed.add(sequence);
          return;
        }
      }
    };
    for (let start = 0; start < byItem.length; start += itemsAtOnce) {
      await Promise.all(byItem.slice(start, start + itemsAtOnce).map(consumeItem));
    }
    return failed;
  });

/** A stream consumer that takes a batch as a whole. It returns the sequences of the changes that failed. */
export const onStreamBatch = (
  platform: Platform,
  consumer: StreamConsumer,
  consume: (changes: readonly Change[]) => Promise<ReadonlySet<string>>,
) => {
  const status = new StreamStatus(platform, consumer);
  return instrumented(platform, async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const changes = Records.map(changeOf);
    const failed = await consume(changes);
    await status.consumed(changes);
    // Lambda goes on from the first failed record, so the later ones come again whether they failed or not.
    const first = changes.find(({ sequence }) => failed.has(sequence));
    return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first.sequence }] };
  });
};

const changeOf = ({ eventName, dynamodb }: DynamoDBRecord): Change => {
  const before = imageOf(dynamodb?.OldImage);
  const after = imageOf(dynamodb?.NewImage);
  const key = imageOf(dynamodb?.Keys);
  if (eventName === undefined || key === undefined || dynamodb?.SequenceNumber === undefined) {
    throw new TypeError('The stream record lacks its name, keys or sequence number');
  }
  return {
    event: eventName,
    key: { pk: key.pk, sk: key.sk },
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    at: (dynamodb.ApproximateCreationDateTime ?? 0) * 1000,
    sequence: dynamodb.SequenceNumber,
  };
};

const imageOf = (image: Parameters<typeof unmarshall>[0] | undefined | object): Item | undefined =>
  image === undefined ? undefined : (unmarshall(image as Parameters<typeof unmarshall>[0]) as Item);
