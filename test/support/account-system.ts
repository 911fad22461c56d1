/** An account with its dispatcher and its workers, which can be killed, be slow, and be several at the same time. */
import { createAccountSync } from '#functions/queue/account-sync';
import { createAccountsDispatch } from '#functions/schedule/accounts-dispatch';
import { queueEvent } from '#local/queue-event';
import { NewAccount } from '#shared/accounts/account';
import { Accounts } from '#shared/accounts/accounts';
import type { OpenAccountVenue } from '#shared/exchange/account-venue';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import type { Platform, Queue, ReceivedMessage } from '#shared/platform/ports';
import { testKey, VenueOfKeys } from './account-venues.ts';
import { ObservedTable } from './observed-table.ts';
import { type TestPlatform, testContext, testOrigin } from './test-platform.ts';

export const owner = 'ada' as UserId;

/** At which of its writes, to the table or a queue, a process ends; `after`: the write is made, but its result is lost. */
export interface Kill {
  readonly write: number;
  readonly when: 'before' | 'after';
}

export interface Work {
  readonly kill: Kill | undefined;
  /** The message comes again although it was handled. */
  readonly again: boolean;
  /** Which of the messages that can be received. */
  readonly pick: number;
  /** How long each write of the store takes. */
  readonly storeMs: number;
}

/** What was begun ends within the time that a lease outlasts its sync. */
const begunMsMax = 8_000;
/** Longer than the function may run. */
const visibilitySeconds = 65;

interface Process {
  readonly kill: Kill | undefined;
  readonly storeMs?: number;
  readonly written?: () => Promise<void>;
}

/** A process of its own on the same table and queues: it ends at the given write and then does nothing more. */
const processOf = (system: TestPlatform, { kill, storeMs = 0, written = async () => {} }: Process) => {
  const table = new ObservedTable(system.store);
  let writes = 0;
  let isDead = false;
  const begin = async (mostMs = Number.POSITIVE_INFINITY) => {
    const write = writes;
    writes += 1;
    if (storeMs > 0) await system.clock.sleep(Math.min(storeMs, mostMs));
    isDead ||= kill !== undefined && kill.when === 'before' && write >= kill.write;
    if (isDead) throw new Unavailable('killed');
    return write;
  };
  const end = (write: number) => {
    isDead ||= kill !== undefined && kill.when === 'after' && write >= kill.write;
    if (isDead) throw new Unavailable('killed');
  };
  let begun = 0;
  table.before = async ({ name, writes: isWrite }) => {
    if (isDead) throw new Unavailable('killed');
    if (isWrite) begun = await begin(name === 'writeMany' ? begunMsMax : undefined);
  };
  table.after = async ({ writes: isWrite }) => {
    if (!isWrite) return;
    await written();
    end(begun);
  };
  const queueHere = (queue: Queue): Queue => ({
    send: async (messages) => {
      const write = await begin();
      await queue.send(messages);
      end(write);
    },
    receive: (max, seconds) => queue.receive(max, seconds),
    remove: (receipt) => queue.remove(receipt),
    release: async (receipt, seconds) => {
      if (!isDead) await queue.release(receipt, seconds);
    },
    depth: () => queue.depth(),
  });
  const platform: Platform = {
    ...system.platform,
    table,
    // Several workers at a time: on one machine a lease of a process before would not count.
    config: { ...system.platform.config, soleWriterSince: 0 },
    queue: (name) => queueHere(system.queue(name)),
  };
  return { platform, isDead: () => isDead };
};

/** @param written runs after each write to the table of a worker */
export const accountSystem = async (
  system: TestPlatform,
  venue: string,
  open: OpenAccountVenue,
  written: () => Promise<void> = async () => {},
  key = testKey,
) => {
  const keys = new VenueOfKeys();
  keys.add(key);
  const book = new Accounts(system.platform, { profile: async () => keys.profile('binance'), verify: keys.verify });
  const account = NewAccount.parse({ venue, label: 'x', mode: 'live', credentials: key });
  const { accountId } = await system.awake(book.add(owner, account, testOrigin));
  const queue = system.queue('account-sync');

  const dispatch = async (kill?: Kill): Promise<void> => {
    const { platform } = processOf(system, { kill });
    await createAccountsDispatch(platform)({}, testContext).catch(() => {});
  };

  /** @returns the end of a worker with one of the messages that wait now; undefined while none does */
  const work = async (how?: Work): Promise<{ readonly ended: Promise<void> } | undefined> => {
    const { kill, again = false, pick = 0, storeMs = 0 } = how ?? {};
    const messages = await queue.receive(10, visibilitySeconds);
    const message = messages[pick % messages.length];
    if (message === undefined) return undefined;
    for (const { id, receipt } of messages) if (id !== message.id) await queue.release(receipt, 0);
    return { ended: handle(message, { kill, again, storeMs }) };
  };

  const handle = async (message: ReceivedMessage, how: Omit<Work, 'pick'>): Promise<void> => {
    const { platform, isDead } = processOf(system, { ...how, written });
    const worker = createAccountSync(platform, open);
    const { batchItemFailures } = await worker(queueEvent('account-sync', [message]), testContext);
    if (isDead() || batchItemFailures.length > 0) return;
    if (how.again) await queue.release(message.receipt, 1);
    else await queue.remove(message.receipt);
  };

  return { accountId, book, dispatch, work };
};
