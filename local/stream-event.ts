import { marshall } from '@aws-sdk/util-dynamodb';
import type { AttributeValue, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Change, Item, Key } from '#shared/platform/table';

const streamArn = 'arn:aws:dynamodb:local:000000000000:table/alphapulse/stream/local';

/** Changes as the table's stream hands them to a function. */
export const streamEvent = (changes: readonly Change[]): DynamoDBStreamEvent => ({ Records: changes.map(recordOf) });

const recordOf = ({ event, key, before, after, at, sequence }: Change): DynamoDBRecord => {
  const keys = imageOf(key);
  const newImage = after && imageOf(after);
  const oldImage = before && imageOf(before);
  return {
    eventID: sequence,
    eventName: event,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'local',
    eventSourceARN: streamArn,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at / 1000),
      Keys: keys,
      ...(newImage && { NewImage: newImage }),
      ...(oldImage && { OldImage: oldImage }),
      SequenceNumber: sequence,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
};

/** Lambda's event type and the SDK's differ in binary attributes only, which no item has. */
const imageOf = (item: Item | Key): Record<string, AttributeValue> =>
  marshall(item, { removeUndefinedValues: true }) as Record<string, AttributeValue>;
