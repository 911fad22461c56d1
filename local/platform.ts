import type { Logger } from '@aws-lambda-powertools/logger';
import { functions } from '#functions/manifest';
import { FileSecrets } from '#shared/platform/machine/secrets';
import type { Clock, Config, Mailer, Network, Platform, Random } from '#shared/platform/ports';
import type { QueueName } from '#shared/platform/queues';
import type { Database } from '#shared/platform/sqlite/database';
import { SqliteOutbox } from '#shared/platform/sqlite/outbox';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { uuidV7Ids } from '#shared/platform/system';
import { localMetrics } from './telemetry.ts';
import { WsPush } from './ws-push.ts';

/** The platform of one machine, with what its runtime needs of the adapters beyond their ports. */
export interface LocalPlatform extends Platform {
  readonly table: SqliteTable;
  readonly mailer: SqliteOutbox;
  readonly push: WsPush;
  queue(name: QueueName): SqliteQueue;
}

export interface LocalPlatformParts {
  readonly config: Config;
  readonly database: Database;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly logger: Logger;
  /** Forwards the mails of the outbox. */
  readonly mailServer: Mailer | undefined;
}

/** Assembles the adapters of one machine. */
export const createLocalPlatform = (parts: LocalPlatformParts): LocalPlatform => {
  const { config, database, dataFolder, clock, random, network, logger, mailServer } = parts;
  const ids = uuidV7Ids(clock, random);
  const queues = new Map<QueueName, SqliteQueue>();
  const queue = (name: QueueName): SqliteQueue => {
    const maxReceives = maxReceivesOf(name);
    const opened =
      queues.get(name) ??
      new SqliteQueue({ database, name, clock, ids, ...(maxReceives === undefined ? {} : { maxReceives }) });
    queues.set(name, opened);
    return opened;
  };
  return {
    config: { ...config, soleWriterSince: clock.now() },
    clock,
    random,
    ids,
    logger,
    metrics: localMetrics(logger),
    network,
    table: new SqliteTable(database, clock),
    secrets: new FileSecrets(dataFolder),
    mailer: new SqliteOutbox(database, clock, mailServer),
    push: new WsPush(),
    queue,
  };
};

/** How often a message of a queue is received before it is a dead letter; undefined for queues that no function consumes. */
export const maxReceivesOf = (name: QueueName): number | undefined => {
  for (const { trigger } of functions) {
    if (trigger.type === 'queue' && trigger.queue === name) return trigger.maxReceives;
  }
  return undefined;
};
