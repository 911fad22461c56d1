import { expect, it } from 'vitest';
import { stackClient, tableNameIn } from '#shared/platform/aws/deployed-stack';
import { NotFound } from '#shared/platform/errors';
import { httpRecorder, towards } from '../../../support/http-recorder.ts';

const stackOf = (...resources: [type: string, name: string][]) => {
  const members = resources.map(
    ([type, name]) =>
      `<member><LogicalResourceId>Some0A1B2C3D</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${name}</PhysicalResourceId></member>`,
  );
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members.join('')}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
  };
};

it('finds the table of a deployment', async () => {
  const recorder = await httpRecorder(
    stackOf(['AWS::SecretsManager::Secret', 'a-secret'], ['AWS::DynamoDB::Table', 'the-table']),
  );
  expect(await tableNameIn(stackClient(towards(recorder)), 'alphapulse-dev-state')).toBe('the-table');
});

it('says that a stack has no table', async () => {
  const recorder = await httpRecorder(stackOf());
  await expect(tableNameIn(stackClient(towards(recorder)), 'alphapulse-dev')).rejects.toThrow(
    new NotFound('The stack alphapulse-dev has no table'),
  );
});
