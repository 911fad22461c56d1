/** The queues that functions work off; each has dead letters, the queue of the same name with `-dead`. */
export const WORK_QUEUES = ['deliveries', 'account-sync'] as const;
export type WorkQueueName = (typeof WORK_QUEUES)[number];

/** The functions that read the table's stream: two, because more would throttle its shards. What they fail at has dead letters too. */
export const STREAM_CONSUMERS = ['alerts', 'push'] as const;
export type StreamConsumer = (typeof STREAM_CONSUMERS)[number];

export type DeadLetterQueueName = `${WorkQueueName | StreamConsumer}-dead`;
export type QueueName = WorkQueueName | DeadLetterQueueName;

export const DEAD_LETTER_QUEUES: readonly DeadLetterQueueName[] = [...WORK_QUEUES, ...STREAM_CONSUMERS].map(
  (name) => `${name}-dead` as const,
);

export const QUEUES: readonly QueueName[] = [...WORK_QUEUES, ...DEAD_LETTER_QUEUES];
