import type { ItemKind } from '#shared/personal-data/item-kinds';
import type { QueueName } from '#shared/platform/queues';
import { type FunctionName, functions } from './manifest.ts';

/** Where dead letters came from, which is where they are sent back to. */
export type DeadLetterOrigin =
  /** Messages of a queue. */
  | { readonly type: 'queue'; readonly deadLetters: QueueName; readonly queue: QueueName }
  /** Changes of the table, of items of these kinds, that a function failed at. */
  | {
      readonly type: 'stream';
      readonly deadLetters: QueueName;
      readonly consumer: FunctionName;
      readonly kinds: readonly ItemKind[];
    }
  /** Scheduled runs; on AWS only. */
  | { readonly type: 'schedule'; readonly deadLetters: 'schedules-dead' };

/** Every queue of dead letters of the system, with its origin. */
export const deadLetterOrigins: readonly DeadLetterOrigin[] = [
  ...functions.flatMap(({ name, trigger }): DeadLetterOrigin[] => {
    if (trigger.type === 'queue') {
      return [{ type: 'queue', deadLetters: `${trigger.queue}-dead` as QueueName, queue: trigger.queue }];
    }
    if (trigger.type === 'stream') {
      return [{ type: 'stream', deadLetters: trigger.deadLetters, consumer: name, kinds: trigger.kinds }];
    }
    return [];
  }),
  { type: 'schedule', deadLetters: 'schedules-dead' },
];
