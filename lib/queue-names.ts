import type { QueueName } from '#shared/platform/queues';
import type { FunctionEntry } from '../functions/manifest.ts';

/** Queues of the deployment: those of the system, and where scheduled runs land that failed. */
export type DeployedQueue = QueueName | 'schedules-dead';

/** Where Lambda itself puts what a function failed at for good; a queue's own dead letters are moved by the queue. */
export const deadLettersOf = ({ trigger }: Pick<FunctionEntry, 'trigger'>): readonly DeployedQueue[] => {
  if (trigger.type === 'stream') return [trigger.deadLetters];
  if (trigger.type === 'schedule') return ['schedules-dead'];
  return [];
};
