import { describe, expect, it } from 'vitest';
import { lambdaClient, StreamDeadLetters, streamsClient } from '#shared/platform/aws/stream-dead-letters';
import { NotFound, Unavailable } from '#shared/platform/errors';
import { type Answer, awsFailure, httpRecorder, operationOf, towards } from '../../../support/http-recorder.ts';

const streamArn = 'arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000';
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:alerts';

/** As https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html shows it. */
const letter = (start: string, end: string) =>
  JSON.stringify({
    requestContext: {
      requestId: '316aa6d0-8154-xmpl-9af7-85d5f4a6bc81',
      functionArn,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 10,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2026-01-01T00:13:49.717Z',
    DDBStreamBatchInfo: {
      shardId: 'shardId-00000001573689847184-864758bb',
      startSequenceNumber: start,
      endSequenceNumber: end,
      approximateArrivalOfFirstRecord: '2026-01-01T00:13:19Z',
      approximateArrivalOfLastRecord: '2026-01-01T00:13:19Z',
      batchSize: 1,
      streamArn,
    },
  });

const record = (SequenceNumber: string, kind = 'ticker', eventName = 'MODIFY') => ({
  eventID: `event ${SequenceNumber}`,
  eventName,
  eventVersion: '1.1',
  eventSource: 'aws:dynamodb',
  awsRegion: 'us-east-1',
  dynamodb: {
    ApproximateCreationDateTime: 1_767_225_600.5,
    Keys: { pk: { S: 'p' }, sk: { S: 's' } },
    ...(eventName === 'REMOVE' ? {} : { NewImage: { pk: { S: 'p' }, sk: { S: 's' }, kind: { S: kind } } }),
    SequenceNumber,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  },
});

const json = (body: object): Answer => ({ headers: { 'content-type': 'application/x-amz-json-1.0' }, body });
const iterator = json({ ShardIterator: 'start' });
const records = (of: readonly object[], next?: string) =>
  json({ Records: of, ...(next === undefined ? {} : { NextShardIterator: next }) });

const given = async ({ stream, invocation }: { stream: Answer[]; invocation?: Answer }) => {
  const [streams, lambda] = [await httpRecorder(...stream), await httpRecorder(...(invocation ? [invocation] : []))];
  const clients = { streams: streamsClient(towards(streams)), lambda: lambdaClient(towards(lambda)) };
  return { streams, lambda, letters: new StreamDeadLetters(clients, ['ticker', 'notification']) };
};
const done: Answer = { body: { batchItemFailures: [] } };

describe('a dead letter of a stream', () => {
  it('has the function handle the changes that it stands for, and no others', async () => {
    const { streams, lambda, letters } = await given({
      stream: [
        iterator,
        records([record('100'), record('101', 'level'), record('102', 'ticker', 'REMOVE')], 'more'),
        records([record('0103', 'notification'), record('104')], 'yet more'),
      ],
      invocation: done,
    });
    await letters.handle(letter('100', '103'));
    expect(streams.requests.map(operationOf)).toEqual(['GetShardIterator', 'GetRecords', 'GetRecords']);
    expect(JSON.parse(streams.requests[0]?.body ?? '')).toEqual({
      StreamArn: streamArn,
      ShardId: 'shardId-00000001573689847184-864758bb',
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      SequenceNumber: '100',
    });
    expect(lambda.requests.map(({ path }) => decodeURIComponent(path))).toEqual([
      `/2015-03-31/functions/${functionArn}/invocations`,
    ]);
    const sent = (of: ReturnType<typeof record>) => ({
      ...of,
      eventSourceARN: streamArn,
      dynamodb: { ...of.dynamodb, ApproximateCreationDateTime: 1_767_225_600 },
    });
    expect(JSON.parse(lambda.requests[0]?.body ?? '')).toEqual({
      Records: [sent(record('100')), sent(record('0103', 'notification'))],
    });
  });

  it('of changes that the function does not follow is done without it', async () => {
    const { lambda, letters } = await given({ stream: [iterator, records([record('100', 'level')])] });
    await letters.handle(letter('100', '100'));
    expect(lambda.requests).toEqual([]);
  });

  it.each<[string, Answer[]]>([
    ['was trimmed', [awsFailure('TrimmedDataAccessException')]],
    ['lost its shard', [awsFailure('ResourceNotFoundException')]],
    ['ends before the batch does', [iterator, records([record('100')])]],
  ])('is not handled when the stream %s', async (_what, stream) => {
    const { lambda, letters } = await given({ stream });
    await expect(letters.handle(letter('100', '101'))).rejects.toThrow(
      new NotFound('The changes are no longer in the stream, which keeps them for 24 hours'),
    );
    expect(lambda.requests).toEqual([]);
  });

  it.each<[string, Answer, RegExp]>([
    ['reports a failed change', { body: { batchItemFailures: [{ itemIdentifier: '100' }] } }, /its log says why/],
    ['answers what can not be understood', { body: '"what"' }, /its log says why/],
    [
      'ends with an error',
      {
        headers: { 'x-amz-function-error': 'Unhandled' },
        body: { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 30.00 seconds' },
      },
      /^Sandbox\.Timedout: Task timed out after 30\.00 seconds$/,
    ],
    [
      'is throttled',
      { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' }, body: {} },
      /too much/,
    ],
  ])('is not handled when the function %s', async (_what, invocation, told) => {
    const { letters } = await given({ stream: [iterator, records([record('100')])], invocation });
    const handled = letters.handle(letter('100', '100'));
    await expect(handled).rejects.toThrow(Unavailable);
    await expect(handled).rejects.toThrow(told);
  });

  it.each(['', 'text', '{}', letter('x', '1')])('that is none is told: %j', async (body) => {
    const { letters } = await given({ stream: [] });
    await expect(letters.handle(body)).rejects.toThrow(/does not say where/);
  });
});
