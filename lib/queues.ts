import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionEntry } from '../functions/manifest.ts';
import type { DeployedFunction } from './deployed-function.ts';
import { accept } from './nag-findings.ts';
import { type DeployedQueue, deadLettersOf } from './queue-names.ts';

/** SQS keeps messages at most this long; dead letters wait for a person. */
const deadLetterRetention = Duration.days(14);
/** AWS recommends six times the function's timeout, so that a throttled batch is not delivered twice. */
const visibilityTimeouts = 6;

/** The queues that the triggers of the functions name, each with its dead letters. */
export class Queues extends Construct {
  readonly #queues = new Map<DeployedQueue, Queue>();
  readonly #deadLetters = new Map<DeployedQueue, Queue>();

  constructor(scope: Construct, id: string, functions: readonly FunctionEntry[]) {
    super(scope, id);
    for (const entry of functions) {
      for (const name of deadLettersOf(entry)) this.#addDeadLetters(name);
      if (entry.trigger.type !== 'queue') continue;
      const { queue, maxReceives } = entry.trigger;
      this.#add(queue, {
        visibilityTimeout: Duration.seconds(visibilityTimeouts * entry.timeoutSeconds),
        deadLetterQueue: {
          queue: this.#addDeadLetters(`${queue}-dead` as DeployedQueue),
          maxReceiveCount: maxReceives,
        },
      });
    }
  }

  /** @throws {Error} no trigger of the manifest names the queue, so nothing would ever take from it or put into it */
  get(name: DeployedQueue): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`The manifest grants the queue ${name}, but no trigger makes it`);
    return queue;
  }

  get deadLetters(): ReadonlyMap<DeployedQueue, Queue> {
    return this.#deadLetters;
  }

  /** Hands the messages of each queue to its function. */
  consume(functions: readonly DeployedFunction[]): void {
    for (const { entry, lambda } of functions) {
      if (entry.trigger.type !== 'queue') continue;
      new EventSourceMapping(lambda, 'Messages', {
        target: lambda,
        eventSourceArn: this.get(entry.trigger.queue).queueArn,
        batchSize: entry.trigger.batchSize,
        maxConcurrency: entry.trigger.maxConcurrency,
        reportBatchItemFailures: true,
      });
    }
  }

  #add(name: DeployedQueue, props: QueueProps): Queue {
    const queue = new Queue(this, name, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...props });
    this.#queues.set(name, queue);
    return queue;
  }

  #addDeadLetters(name: DeployedQueue): Queue {
    const existing = this.#deadLetters.get(name);
    if (existing !== undefined) return existing;
    const queue = this.#add(name, { retentionPeriod: deadLetterRetention });
    accept(queue, 'AwsSolutions-SQS3', 'It is the dead letters, of a stream, of schedules or of another queue.');
    this.#deadLetters.set(name, queue);
    return queue;
  }
}
