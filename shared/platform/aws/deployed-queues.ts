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

/** What the CDK makes of a queue's place in the stack, `Queues/deliveries-dead`, before its hash. */
const logicalIdOf = (queue: string): string => `Queues${queue.replaceAll('-', '')}`;

/**
 * The URLs of queues of a deployed stack, in the order of their names.
 * @throws {NotFound} there is no such stack, or it has no such queue
 */
export const queueUrlsIn = async (
  client: CloudFormationClient,
  stack: string,
  queues: readonly string[],
): Promise<string[]> => {
  const urls = new Map<string, string>();
  try {
    for await (const { StackResourceSummaries: resources = [] } of paginateListStackResources(
      { client },
      { StackName: stack },
    )) {
      for (const { ResourceType: type, LogicalResourceId: id = '', PhysicalResourceId: url } of resources) {
        if (type === 'AWS::SQS::Queue' && url !== undefined) urls.set(id.replace(/[0-9A-F]{8}$/, ''), url);
      }
    }
  } catch (error) {
    if (nameOf(error) === 'ValidationError') throw new NotFound(`There is no stack ${stack}`, { cause: error });
    throw failureOf('CloudFormation', error);
  }
  return queues.map((queue) => {
    const url = urls.get(logicalIdOf(queue));
    if (url === undefined) throw new NotFound(`The stack ${stack} has no queue ${queue}`);
    return url;
  });
};
