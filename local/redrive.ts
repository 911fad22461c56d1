import { Logger } from '@aws-lambda-powertools/logger';
import type { DeadLetterOrigin } from '#functions/dead-letters';
import { functions } from '#functions/manifest';
import { type Redriven, redrive } from '#shared/operations/redrive';
import { oneMachineConfig } from '#shared/platform/config/one-machine';
import { Unavailable } from '#shared/platform/errors';
import { createNetwork } from '#shared/platform/network';
import type { Clock } from '#shared/platform/ports';
import { systemClock, systemRandom } from '#shared/platform/system';
import type { Change } from '#shared/platform/table';
import { failedOf } from './batch-response.ts';
import { grantedPlatform } from './granted.ts';
import { Invoker } from './invoke.ts';
import { createLocalPlatform, type LocalPlatform } from './platform.ts';
import { openStoppedStore } from './stopped-store.ts';
import { streamEvent } from './stream-event.ts';

/** The stream consumers watch no venue and send nothing out. */
const config = oneMachineConfig('redrive', { market: { venues: [] } });

export interface RedriveHereOptions {
  readonly dataFolder: string;
  /** Most dead letters to handle. */
  readonly max: number;
  readonly clock?: Clock;
}

/**
 * Sends the dead letters of a data folder back: messages to their queue, which the server works off once it runs again;
 * changes to the function that had failed at them, at once.
 * @throws {NotFound} there is no data folder
 * @throws {DataFolderInUse} the server runs
 */
export const redriveHere = async (
  origin: Exclude<DeadLetterOrigin, { type: 'schedule' }>,
  { dataFolder, max, clock = systemClock }: RedriveHereOptions,
): Promise<Redriven> => {
  const database = await openStoppedStore(dataFolder);
  try {
    const log = new CapturingLogger();
    const platform = createLocalPlatform({
      config,
      database,
      dataFolder,
      clock,
      random: systemRandom,
      network: createNetwork({ publicOnly: true }),
      logger: log,
      mailServer: undefined,
    });
    const deadLetters = platform.queue(origin.deadLetters);
    // This process is the only one on the folder: the receivers of dead letters have ended.
    await deadLetters.reclaim();
    if (origin.type === 'queue') {
      const queue = platform.queue(origin.queue);
      return await redrive(deadLetters, (body) => queue.send([{ body }]), { max, clock });
    }
    const consumer = await consumerOf(origin.consumer, platform, log);
    try {
      return await redrive(deadLetters, consumer.handle, { max, clock });
    } finally {
      consumer.stop();
    }
  } finally {
    database.close();
  }
};

const consumerOf = async (name: string, platform: LocalPlatform, log: CapturingLogger) => {
  const entry = functions.find((known) => known.name === name);
  if (entry === undefined) throw new RangeError(`There is no function ${name}`);
  const create = await entry.load();
  const invoker = new Invoker(entry, create(grantedPlatform(platform, entry)), platform);
  return {
    stop: () => invoker.stop(),
    handle: async (body: string): Promise<void> => {
      const { change } = JSON.parse(body) as { readonly change: Change };
      log.forget();
      const answer = await invoker.invoke(streamEvent([change]));
      if (failedOf(answer, [change.sequence]).size > 0) {
        throw new Unavailable(log.lastError?.message ?? `${name} failed without an error`);
      }
    },
  };
};

/** Handlers report failures in their log only; it is captured instead of written. */
class CapturingLogger extends Logger {
  readonly #captured: { error: Error | undefined };

  constructor(
    options: ConstructorParameters<typeof Logger>[0] = {},
    captured: { error: Error | undefined } = { error: undefined },
  ) {
    super({ ...options, logLevel: 'SILENT' });
    this.#captured = captured;
  }

  get lastError(): Error | undefined {
    return this.#captured.error;
  }

  forget(): void {
    this.#captured.error = undefined;
  }

  override error(...[message, ...more]: Parameters<Logger['error']>): void {
    for (const part of [message, ...more]) {
      if (part instanceof Error) this.#captured.error = part;
      else if (typeof part === 'object' && part.error instanceof Error) this.#captured.error = part.error;
    }
  }

  protected override createLogger(options?: ConstructorParameters<typeof Logger>[0]): Logger {
    return new CapturingLogger(options, this.#captured);
  }
}
