import { expect, it } from 'vitest';
import { deadLetterOrigins } from '#functions/dead-letters';
import { queueUrlsIn } from '#shared/platform/aws/deployed-queues';
import { stackClient } from '#shared/platform/aws/deployed-stack';
import { NotFound, Unavailable } from '#shared/platform/errors';
import { httpRecorder, towards } from '../../../support/http-recorder.ts';
import { queueId, stateless } from '../../lib/templates.ts';

const namespace = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"';

/** A page of the resources of the stack, as CloudFormation tells it. */
const page = (ids: readonly string[], nextToken?: string) => {
  const members = ids.map(
    (id) =>
      `<member><LogicalResourceId>${id}</LogicalResourceId><ResourceType>${stateless[id]?.Type}</ResourceType>` +
      `<PhysicalResourceId>https://sqs/${id}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus>` +
      '<LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>',
  );
  const next = nextToken === undefined ? '' : `<NextToken>${nextToken}</NextToken>`;
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<ListStackResourcesResponse ${namespace}><ListStackResourcesResult><StackResourceSummaries>${members.join('')}</StackResourceSummaries>${next}</ListStackResourcesResult></ListStackResourcesResponse>`,
  };
};
const failure = (code: string, status: number) => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
});

const ids = Object.keys(stateless);
const half = Math.floor(ids.length / 2);

it('finds every queue of the deployed stack by its name, on whatever page it stands', async () => {
  const recorder = await httpRecorder(page(ids.slice(0, half), 'more'), page(ids.slice(half)));
  const names = deadLetterOrigins.flatMap((origin) =>
    origin.type === 'queue' ? [origin.deadLetters, origin.queue] : [origin.deadLetters],
  );
  const urls = await queueUrlsIn(stackClient(towards(recorder)), 'alphapulse-dev', names);
  expect(urls).toEqual(names.map((name) => `https://sqs/${queueId(name)}`));
  expect(recorder.requests[1]?.body).toContain('NextToken=more');
});

it('says that a stack is not there', async () => {
  const recorder = await httpRecorder(failure('ValidationError', 400));
  const urls = queueUrlsIn(stackClient(towards(recorder)), 'alphapulse-prod', ['alerts-dead']);
  await expect(urls).rejects.toThrow(new NotFound('There is no stack alphapulse-prod'));
});

it('says that a queue is not in the stack', async () => {
  const recorder = await httpRecorder(page([]));
  const urls = queueUrlsIn(stackClient(towards(recorder)), 'alphapulse-dev', ['alerts-dead']);
  await expect(urls).rejects.toThrow(new NotFound('The stack alphapulse-dev has no queue alerts-dead'));
});

it('says that CloudFormation fails', async () => {
  const recorder = await httpRecorder(failure('InternalFailure', 500));
  await expect(queueUrlsIn(stackClient(towards(recorder)), 'alphapulse-dev', [])).rejects.toThrow(Unavailable);
});
