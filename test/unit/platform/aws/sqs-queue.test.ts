import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SqsQueue, sqsClient } from '#shared/platform/aws/sqs-queue';
import { InvalidInput, Unavailable } from '#shared/platform/errors';
import { MESSAGE_BYTES_MAX } from '#shared/platform/ports';
import {
  type Answer,
  awsFailure,
  httpRecorder,
  operationOf,
  type RecordedRequest,
  towards,
} from '../../../support/http-recorder.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const url = 'https://sqs.us-east-1.amazonaws.com/000000000000/deliveries';

const given = async (...answers: (Answer | ((request: RecordedRequest) => Answer))[]) => {
  const recorder = await httpRecorder(...answers);
  const clock = instantClock();
  const random = { number: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const queue = new SqsQueue({ client: sqsClient(towards(recorder)), url, clock, random });
  const sent = () =>
    recorder.requests.map((request) => ({ operation: operationOf(request), ...JSON.parse(request.body) }));
  return { queue, clock, sent };
};

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** Takes all entries of a batch but those whose body is `later` or `wrong`. */
const taking = ({ body }: RecordedRequest): Answer => {
  const entries: { Id: string; MessageBody: string }[] = JSON.parse(body).Entries;
  const failing = (text: string) => text === 'later' || text === 'wrong';
  return {
    body: {
      Successful: entries
        .filter(({ MessageBody }) => !failing(MessageBody))
        .map(({ Id, MessageBody }) => ({ Id, MessageId: `m${Id}`, MD5OfMessageBody: md5(MessageBody) })),
      Failed: entries
        .filter(({ MessageBody }) => failing(MessageBody))
        .map(({ Id, MessageBody }) => ({ Id, Code: 'Refused', SenderFault: MessageBody === 'wrong' })),
    },
  };
};

describe('send', () => {
  it('sends at most ten messages at once', async () => {
    const { queue, sent } = await given(taking, taking);
    await queue.send(Array.from({ length: 12 }, (_, position) => ({ body: `b${position}`, delaySeconds: position })));
    expect(sent().map(({ Entries }) => Entries.length)).toEqual([10, 2]);
    expect(sent()[1]).toEqual({
      operation: 'SendMessageBatch',
      QueueUrl: url,
      Entries: [
        { Id: '10', MessageBody: 'b10', DelaySeconds: 10 },
        { Id: '11', MessageBody: 'b11', DelaySeconds: 11 },
      ],
    });
  });

  it('sends no more bytes at once than one message may have', async () => {
    const { queue, sent } = await given(taking, taking);
    const half = 'é'.repeat(MESSAGE_BYTES_MAX / 4);
    await queue.send([{ body: half }, { body: half }, { body: '.' }, { body: '.' }]);
    expect(sent().map(({ Entries }) => Entries.length)).toEqual([2, 2]);
  });

  it('refuses a message that is too large', async () => {
    const { queue } = await given();
    await expect(queue.send([{ body: 'x'.repeat(MESSAGE_BYTES_MAX + 1) }])).rejects.toBeInstanceOf(InvalidInput);
  });

  it('sends again only what was not taken', async () => {
    const { queue, clock, sent } = await given(taking, ({ body }) => {
      const [{ Id }] = JSON.parse(body).Entries;
      return { body: { Successful: [{ Id, MessageId: 'm', MD5OfMessageBody: md5('later') }] } };
    });
    await queue.send([{ body: 'now' }, { body: 'later' }]);
    expect(sent()[1].Entries).toEqual([{ Id: '1', MessageBody: 'later' }]);
    expect(clock.slept).toHaveLength(1);
  });

  it('is unavailable when a message is never taken', async () => {
    const { queue } = await given(...Array.from({ length: 8 }, () => taking));
    await expect(queue.send([{ body: 'later' }])).rejects.toBeInstanceOf(Unavailable);
  });

  it('does not repeat what SQS refuses for good', async () => {
    const { queue, sent } = await given(taking);
    await expect(queue.send([{ body: 'wrong' }])).rejects.toBeInstanceOf(InvalidInput);
    expect(sent()).toHaveLength(1);
  });
});

describe('receive', () => {
  it('gives the visible messages with their counts, without waiting for others', async () => {
    const message = {
      MessageId: 'm1',
      ReceiptHandle: 'r1',
      Body: 'hello',
      MD5OfBody: md5('hello'),
      Attributes: { ApproximateReceiveCount: '3', SentTimestamp: '1767225600000' },
    };
    const { queue, sent } = await given({ body: { Messages: [message] } }, { body: {} });
    expect(await queue.receive(5, 30)).toEqual([
      { id: 'm1', receipt: 'r1', body: 'hello', receiveCount: 3, sentAt: 1767225600000 },
    ]);
    expect(await queue.receive(5, 30)).toEqual([]);
    expect(sent()[0]).toEqual({
      operation: 'ReceiveMessage',
      QueueUrl: url,
      MaxNumberOfMessages: 5,
      VisibilityTimeout: 30,
      WaitTimeSeconds: 0,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    });
  });
});

describe('a receipt', () => {
  it('removes and releases its message', async () => {
    const { queue, sent } = await given({}, {});
    await queue.remove('r1');
    await queue.release('r2', 0);
    expect(sent()).toEqual([
      { operation: 'DeleteMessage', QueueUrl: url, ReceiptHandle: 'r1' },
      { operation: 'ChangeMessageVisibility', QueueUrl: url, ReceiptHandle: 'r2', VisibilityTimeout: 0 },
    ]);
  });

  it.each([
    awsFailure('ReceiptHandleIsInvalid'),
    awsFailure('MessageNotInflight'),
    awsFailure(
      'InvalidParameterValue',
      'Value r1 for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.',
    ),
  ])('that is over does nothing', async (answer) => {
    const { queue } = await given(answer, answer);
    await expect(queue.remove('r1')).resolves.toBeUndefined();
    await expect(queue.release('r1', 5)).resolves.toBeUndefined();
  });

  it('can not be used while the queue is throttled', async () => {
    const { queue } = await given(awsFailure('RequestThrottled'));
    await expect(queue.remove('r1')).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('depth', () => {
  it('tells what waits, what was sent for later and what is in flight', async () => {
    const { queue } = await given({
      body: {
        Attributes: {
          ApproximateNumberOfMessages: '4',
          ApproximateNumberOfMessagesDelayed: '2',
          ApproximateNumberOfMessagesNotVisible: '3',
        },
      },
    });
    expect(await queue.depth()).toEqual({ waiting: 4, delayed: 2, inFlight: 3 });
  });
});
