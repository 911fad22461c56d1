import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { DeadLetterOrigin } from '#functions/dead-letters';
import { redriveOnAws } from '../../../bin/redrive-aws.ts';
import {
  type Answer,
  awsFailure,
  httpRecorder,
  operationOf,
  type RecordedRequest,
  towards,
} from '../../support/http-recorder.ts';

const origin: DeadLetterOrigin = { type: 'queue', deadLetters: 'deliveries-dead', queue: 'deliveries' };
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

const resource = (id: string, url: string) =>
  `<member><LogicalResourceId>${id}</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><PhysicalResourceId>${url}</PhysicalResourceId></member>`;
const stackAt = ({ headers }: RecordedRequest): Answer => ({
  headers: { 'content-type': 'text/xml' },
  body: `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${resource('Queuesdeliveries0A1B2C3D', `http://${headers.host}/1/deliveries`)}${resource('Queuesdeliveriesdead3D2C1B0A', `http://${headers.host}/1/dead`)}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
});
const depth = (waiting: number): Answer => ({
  body: { Attributes: { ApproximateNumberOfMessages: String(waiting), ApproximateNumberOfMessagesNotVisible: '0' } },
});
const received = (body: string): Answer => ({
  body: { Messages: [{ MessageId: 'm1', ReceiptHandle: 'r1', Body: body, MD5OfBody: md5(body) }] },
});
const taken = (body: string): Answer => ({
  body: { Successful: [{ Id: '0', MessageId: 'm2', MD5OfMessageBody: md5(body) }], Failed: [] },
});

const run = async (...answers: Answer[]) => {
  const recorder = await httpRecorder(stackAt, ...answers);
  const redriven = await redriveOnAws(origin, { stack: 'alphapulse-dev', max: 10, client: towards(recorder) });
  const calls = recorder.requests.slice(1).map((request) => {
    const { QueueUrl: url, ...input } = JSON.parse(request.body);
    return { call: `${operationOf(request)} ${new URL(url).pathname}`, input };
  });
  return { redriven, calls };
};

it('removes a message from the dead letters of a deployment only once it is in its queue again', async () => {
  const { redriven, calls } = await run(depth(1), received('order'), taken('order'), { body: {} }, depth(0));
  expect(redriven).toEqual({ handled: 1, failures: new Map(), left: 0 });
  expect(calls.map(({ call }) => call)).toEqual([
    'GetQueueAttributes /1/dead',
    'ReceiveMessage /1/dead',
    'SendMessageBatch /1/deliveries',
    'DeleteMessage /1/dead',
    'GetQueueAttributes /1/dead',
  ]);
  expect(calls[2]?.input).toEqual({ Entries: [{ Id: '0', MessageBody: 'order' }] });
  expect(calls[3]?.input).toEqual({ ReceiptHandle: 'r1' });
});

it('lets a message be had again when its queue does not take it', async () => {
  const refusal = awsFailure('ServiceUnavailable', 'no', {}, 503);
  const { redriven, calls } = await run(depth(1), received('order'), refusal, { body: {} }, depth(1));
  expect(redriven).toEqual({ handled: 0, failures: new Map([['The queue failed', 1]]), left: 1 });
  expect(calls[3]).toEqual({
    call: 'ChangeMessageVisibility /1/dead',
    input: { ReceiptHandle: 'r1', VisibilityTimeout: 0 },
  });
});
