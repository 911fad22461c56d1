import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { NotFound } from '../errors.ts';
import { resourcesIn } from './deployed-stack.ts';

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
  for await (const { id, physicalId } of resourcesIn(client, stack, 'AWS::SQS::Queue')) {
    urls.set(id.replace(/[0-9A-F]{8}$/, ''), physicalId);
  }
  return queues.map((queue) => {
    const url = urls.get(logicalIdOf(queue));
    if (url === undefined) throw new NotFound(`The stack ${stack} has no queue ${queue}`);
    return url;
  });
};
