import {
  CloudFormationClient,
  type CloudFormationClientConfig,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { NotFound } from '../errors.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf } from './failures.ts';

export const stackClient = (own: CloudFormationClientConfig = {}) =>
  new CloudFormationClient({ ...CLIENT_OPTIONS, ...own });

/**
 * The resources of one type in a deployed stack, by the id that the template gives them.
 * @param type as CloudFormation has it: `AWS::SQS::Queue`
 * @throws {NotFound} there is no such stack
 */
export async function* resourcesIn(
  client: CloudFormationClient,
  stack: string,
  type: string,
): AsyncGenerator<{ readonly id: string; readonly physicalId: string }> {
  try {
    for await (const { StackResourceSummaries: resources = [] } of paginateListStackResources(
      { client },
      { StackName: stack },
    )) {
      for (const { ResourceType, LogicalResourceId: id = '', PhysicalResourceId: physicalId } of resources) {
        if (ResourceType === type && physicalId !== undefined) yield { id, physicalId };
      }
    }
  } catch (error) {
    if (nameOf(error) === 'ValidationError') throw new NotFound(`There is no stack ${stack}`, { cause: error });
    throw failureOf('CloudFormation', error);
  }
}

/** The name of the one table of a deployed stack. @throws {NotFound} there is no such stack, or it has no table */
export const tableNameIn = async (client: CloudFormationClient, stack: string): Promise<string> => {
  for await (const { physicalId } of resourcesIn(client, stack, 'AWS::DynamoDB::Table')) return physicalId;
  throw new NotFound(`The stack ${stack} has no table`);
};
