import * as z from 'zod';
import {
  dueBound,
  duePeriod,
  duePlace,
  periodOf,
  type StoredSchedule,
  scheduleShard,
  scheduleShards,
} from '#shared/accounts/stored';
import type { Message, Platform } from '#shared/platform/ports';
import { equals, type Put } from '#shared/platform/table';

/** One sync of one account, as it travels through the queue. */
export const SyncJob = z.object({
  userId: z.string(),
  accountId: z.string(),
  /** When it was due, epoch ms. A sync that was made for this time or a later one serves it. */
  dueAt: z.int(),
  /** The user asked for it: what is paused is tried once more. */
  userRequested: z.boolean().default(false),
});
export type SyncJob = z.infer<typeof SyncJob>;

/** Accounts read and sent at once. */
const pageSize = 200;
/** Syncs are ordered so long before they are due: the dispatcher comes once a minute at least. */
const aheadSeconds = 60;
/** Syncs that should have been made already are spread over this part of their period, and at most so many seconds. */
const jitterPart = 0.25;
const jitterSecondsMax = 15;
/** Longest that a queue keeps a message back. */
const delaySecondsMax = 900;

type Ports = Pick<Platform, 'table' | 'clock' | 'random' | 'config' | 'queue'>;

export const jobMessage = (order: SyncJob, delaySeconds = 0): Message => ({
  body: JSON.stringify(order),
  delaySeconds,
});

/** A message that comes when its sync is due, or before where that is too far off. @param now epoch ms */
export const delayedJobMessage = (order: SyncJob, now: number): Message =>
  jobMessage(order, Math.min(Math.max(0, Math.ceil((order.dueAt - now) / 1000)), delaySecondsMax));

/** Sends the accounts to their workers that are due before it comes again. */
export class Dispatcher {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * Orders a sync of every account for when it is due, then moves its time on. Ended half-way or run twice, it orders a sync
   * again for the same due time, which the worker drops.
   * @returns how many syncs were ordered
   * @throws what went wrong with the first shard that failed; the others were dispatched
   */
  async run(): Promise<number> {
    const now = this.#ports.clock.now();
    const shards = Array.from({ length: scheduleShards }, (_, shard) => this.#shard(shard, now));
    const outcomes = await Promise.allSettled(shards);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    return outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value : 0), 0);
  }

  async #shard(shard: number, now: number): Promise<number> {
    const { table, queue } = this.#ports;
    let sent = 0;
    let cursor: string | undefined;
    do {
      const page = await table.query<StoredSchedule>({
        ...{ index: 'gsi1', pk: scheduleShard(shard), limit: pageSize },
        sk: { before: dueBound(now + aheadSeconds * 1000) },
        ...(cursor === undefined ? {} : { cursor }),
      });
      if (page.items.length > 0) {
        const ahead = page.items.map((schedule) => this.#ahead(schedule, now));
        const orders = ahead.flatMap(({ messages }) => messages);
        await queue('account-sync').send(orders);
        await table.writeMany(ahead.map(({ moved }) => moved));
        sent += orders.length;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return sent;
  }

  /** What to order of an account now, and its schedule from then on, unless somebody else changes that meanwhile. */
  #ahead({ userRequested = false, ...schedule }: StoredSchedule, now: number): { messages: Message[]; moved: Put } {
    const { userId, accountId } = schedule;
    const job = { userId, accountId, dueAt: schedule.dueAt, userRequested };
    const messages = [job.dueAt > now ? delayedJobMessage(job, now) : jobMessage(job, this.#spread(schedule))];
    const { beganAt, endsAt } = duePeriod(schedule, this.#ports.config, Math.max(now, job.dueAt));
    let dueAt = endsAt;
    for (; dueAt < now + aheadSeconds * 1000; dueAt += endsAt - beganAt) {
      messages.push(delayedJobMessage({ ...job, dueAt, userRequested: false }, now));
    }
    const moved: StoredSchedule = {
      ...schedule,
      ...duePlace(schedule.accountId, dueAt),
      dueAt,
      version: schedule.version + 1,
    };
    return { messages, moved: { put: moved, if: equals('version', schedule.version) } };
  }

  /** Seconds. */
  #spread(schedule: Pick<StoredSchedule, 'syncSeconds'>): number {
    const { random, config } = this.#ports;
    return Math.floor(random.number() * Math.min(periodOf(schedule, config) * jitterPart, jitterSecondsMax));
  }
}
