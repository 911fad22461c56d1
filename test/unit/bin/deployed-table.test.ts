import { expect, it } from 'vitest';
import { verifyAudit } from '#shared/audit/verify';
import { deployedTable } from '../../../bin/deployed-table.ts';
import { httpRecorder, operationOf, towards } from '../../support/http-recorder.ts';

const stack = {
  headers: { 'content-type': 'text/xml' },
  body: '<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member><LogicalResourceId>Table0A1B2C3D</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType><PhysicalResourceId>the-table</PhysicalResourceId></member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>',
};

it('lets the audit log of a deployment be verified, with consistent reads of its table', async () => {
  const recorder = await httpRecorder(stack, { body: { Items: [], Count: 0 } }, { body: {} });
  const table = await deployedTable('alphapulse-dev-state', towards(recorder));
  expect((await verifyAudit(table)).findings).toEqual([]);
  expect(recorder.requests.slice(1).map(operationOf)).toEqual(['Query', 'GetItem']);
  for (const { body } of recorder.requests.slice(1)) {
    expect(JSON.parse(body)).toMatchObject({ TableName: 'the-table', ConsistentRead: true });
  }
});
