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
import { isPossible } from '#shared/platform/plausible-time';
import type { Message, Platform } from '#shared/platform/ports';
import { equals, every, type Put } from '#shared/platform/table';
import { readDispatchedAt } from './dispatch-status.ts';

/** One sync of one account, as a message of the queue. */
export const SyncJob = z.object({
  userId: z.string(),
  accountId: z.string(),
  /** When it was due, epoch ms. A sync that ran for this time or a later one serves it. */
  dueAt: z.int(),
  /** The user requested it: paused steps are retried as well. */
  userRequested: z.boolean().default(false),
  /** How many jobs of workers led to this one since the dispatcher or the user enqueued the first. */
  hops: z.int().min(0).exactOptional(),
});
export type SyncJob = z.infer<typeof SyncJob>;

/** Accounts read and sent at once. */
const pageSize = 200;
/** Syncs are enqueued this long before they are due: the dispatcher runs at least once a minute. */
const aheadSeconds = 60;
/** Overdue syncs are spread over this part of their period, up to {@link jitterSecondsMax}. */
const jitterPart = 0.25;
const jitterSecondsMax = 15;
/** Longest delay of a message. */
const delaySecondsMax = 900;
/**
 * Longest chain of jobs that workers enqueue. It bounds what Lambda's recursion detection is switched off for; a retry that
 * it cuts off is made by the dispatcher's next job of the account.
 */
export const HOPS_MAX = 100;

type Ports = Pick<Platform, 'table' | 'clock' | 'random' | 'config' | 'queue'>;

export const jobMessage = (job: SyncJob, delaySeconds = 0): Message => ({
  body: JSON.stringify(job),
  delaySeconds,
});

/** A message that arrives when its sync is due, or earlier if that is beyond the longest delay. @param now epoch ms */
export const delayedJobMessage = (job: SyncJob, now: number): Message =>
  jobMessage(job, Math.min(Math.max(0, Math.ceil((job.dueAt - now) / 1000)), delaySecondsMax));

/** A job that a worker enqueues because of this one; undefined where the chain of such jobs is too long. */
export const followUp = (job: SyncJob, changes: Partial<SyncJob> = {}): SyncJob | undefined => {
  const hops = (job.hops ?? 0) + 1;
  return hops > HOPS_MAX ? undefined : { ...job, ...changes, hops };
};

/** Enqueues the syncs that become due before its next run. */
export class Dispatcher {
  readonly #ports: Ports;
  /** When it last ran, epoch ms, according to this process or the table. */
  #ranAt: number | undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * Enqueues a sync of every account for when it is due, then moves its schedule on. Killed half-way or run twice, it enqueues
   * a sync again for the same due time, which the worker drops.
   * @returns how many syncs were enqueued
   * @throws what went wrong with the first shard that failed; the others were dispatched
   */
  async run(): Promise<number> {
    const { clock, table } = this.#ports;
    const now = clock.now();
    this.#ranAt ??= (await readDispatchedAt(table)) ?? now;
    const wasSetBack = !isPossible(this.#ranAt, now);
    const shards = Array.from({ length: scheduleShards }, async (_, shard) => {
      if (wasSetBack) await this.#pullForward(shard, now);
      return await this.#shard(shard, now);
    });
    const outcomes = await Promise.allSettled(shards);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    this.#ranAt = now;
    return outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value : 0), 0);
  }

  /** After the clock was set back, schedules are too late by as much as it was ahead: moves them back into their period. */
  async #pullForward(shard: number, now: number): Promise<void> {
    const { table, config } = this.#ports;
    const query = { index: 'gsi1', pk: scheduleShard(shard), sk: { after: dueBound(now) } } as const;
    const puts: Put[] = [];
    for await (const schedule of every<StoredSchedule>(table, query)) {
      const { endsAt } = duePeriod(schedule, config, now);
      // Paused accounts keep their schedule.
      if (schedule.isPaused === true || schedule.dueAt <= endsAt + aheadSeconds * 1000) continue;
      const moved = {
        ...schedule,
        ...duePlace(schedule.accountId, endsAt),
        dueAt: endsAt,
        version: schedule.version + 1,
      };
      puts.push({ put: moved, if: equals('version', schedule.version) });
    }
    await table.writeMany(puts);
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
        const jobs = ahead.flatMap(({ messages }) => messages);
        await queue('account-sync').send(jobs);
        await table.writeMany(ahead.map(({ moved }) => moved));
        sent += jobs.length;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return sent;
  }

  /** The jobs of an account to enqueue now, and the schedule to write if no other writer has changed it since. */
  #ahead(
    { userRequested = false, isPaused: _isPaused, ...schedule }: StoredSchedule,
    now: number,
  ): { messages: Message[]; moved: Put } {
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
