import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VenueError } from '#shared/exchange/errors';
import { accountSystem, owner, type Work } from '../../../support/account-system.ts';
import { testKey } from '../../../support/account-venues.ts';
import {
  AccountWorld,
  contractChange,
  healthySyncState,
  storedRecords,
  syncStateOf,
  venueChange,
} from '../../../support/account-world.ts';
import { modelRuns, modelSeed } from '../../../support/model-runs.ts';
import { testPlatform } from '../../../support/test-platform.ts';
import { VenueOfAccounts } from '../../../support/venue-of-accounts.ts';
import { VenueAccounts } from '../../../support/venues/venue-accounts.ts';

/** Sequences; a longer suite makes more, with a seed of its own each time. */
const runs = modelRuns(20);
const seed = modelSeed(20_261_124);

const kill = fc.option(
  fc.record({
    write: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 12 })),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  { nil: undefined },
);
/** What goes wrong with a call of the venue. */
const fault = fc.oneof(
  fc.record({ is: fc.constant('slow' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    is: fc.constantFrom('retryable' as const, 'maintenance' as const, 'authentication' as const, 'bug' as const),
  }),
  fc.record({
    is: fc.constant('rate-limited' as const),
    seconds: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
  }),
  fc.record({ is: fc.constant('malformed' as const), how: fc.nat({ max: 3 }) }),
);
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

const anyWork = fc.record({
  kill,
  /** What one of its calls of the venue meets. */
  fault: fc.option(fc.record({ call: fc.oneof(fc.constant(0), fc.nat({ max: 6 })), fault }), {
    nil: undefined,
    freq: 2,
  }),
  again: fc.boolean(),
  pick: fc.nat({ max: 9 }),
  storeMs: fc.oneof(fc.constant(0), fc.nat({ max: 4_000 }), fc.nat({ max: 60_000 })),
  /** Whether what follows happens while it is at work. */
  isBeside: fc.boolean(),
});
const slowBeside = {
  kill: undefined,
  fault: { call: 0, fault: { is: 'slow', seconds: 25 } as const },
  storeMs: 0,
  isBeside: true,
};
const stuckBeside = { kill: undefined, fault: undefined, storeMs: 58_000, isBeside: true };
/** What happens at the venue, then to the dispatcher and to one worker. */
const round = fc.record({
  changes: fc.array(fc.oneof(venueChange, contractChange), { maxLength: 4 }),
  afterSeconds: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 70 }), fc.nat({ max: 900 })),
  dispatch: fc.option(fc.record({ kill, isTwice: fc.boolean() }), { nil: undefined, freq: 2 }),
  /** Whether the user asks for a sync. */
  asks: fc.boolean(),
  work: fc.oneof(
    { weight: 2, arbitrary: anyWork },
    // What it was told is old when it comes to write, and others were at work meanwhile.
    { weight: 1, arbitrary: anyWork.map((work) => ({ ...work, ...slowBeside })) },
    { weight: 1, arbitrary: anyWork.map((work) => ({ ...work, ...stuckBeside })) },
  ),
});
/** Long enough for the longest back-off of a step, and for the step that runs every ten minutes. */
const calmMinutes = 27;

describe.each(['by-symbol', 'by-time'] as const)('an account whose venue lists orders and trades %s', (lists) => {
  it('is stored as it is there once it is calm, whatever went wrong; nothing is invented or lost meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { maxLength: 12 }),
        fc.integer({ min: -20_000, max: 20_000 }),
        async (rounds, skewMs) => {
          const system = testPlatform({ market: { venues: ['sim', 'binance'] } });
          const { clock, store } = system;
          const accounts = new VenueAccounts();
          accounts.addKey(testKey);
          const now = () => clock.now();
          const { apiKey } = testKey;
          const world = new AccountWorld(accounts, apiKey, () => clock.now() + skewMs);
          world.openContracts();
          const venue = new VenueOfAccounts({ accounts, apiKey, lists, tradesAtOnce: 3, now });
          /** Faults of the calls to come; undefined: the call goes well. */
          const faults: (Fault | undefined)[] = [];
          venue.answering = async (_call, answer) => await spoilt(answer, faults.shift(), (ms) => clock.sleep(ms));
          const { accountId, book, dispatch, work } = await accountSystem(
            system,
            'binance',
            async () => venue,
            () => check(),
          );
          const stored = () => storedRecords(store, owner, accountId);

          const under: Promise<void>[] = [];
          const begin = async (how?: Work) => {
            const worker = await work(how);
            if (worker !== undefined) under.push(worker.ended);
            return worker;
          };
          let before = await stored();
          /** What was found after a write: records that are there twice, were never so at the venue, or are gone that are there. */
          const wrong: string[] = [];
          const look = async () => {
            const after = await stored();
            const twice = after.filter((record, place) => record === after[place - 1]);
            wrong.push(...twice, ...world.invented(after), ...world.lost(before, after));
            before = after;
          };
          let looking = Promise.resolve();
          const check = () => {
            looking = looking.then(look);
            return looking;
          };

          for (const { changes, afterSeconds, dispatch: dispatched, asks, work: how } of rounds) {
            for (const change of changes) world.apply(change);
            await clock.advance(afterSeconds * 1000);
            if (asks) await book.syncNow(owner, accountId);
            if (dispatched !== undefined) {
              const twice = dispatched.isTwice ? [dispatch()] : [];
              await system.awake(Promise.all([dispatch(dispatched.kill), ...twice]));
            }
            if (how.fault !== undefined) faults[how.fault.call] = how.fault.fault;
            const worker = await begin(how);
            if (how.isBeside) continue;
            let isOver = worker === undefined;
            void worker?.ended.then(() => {
              isOver = true;
            });
            for (let second = 0; !isOver && second < 65; second += 1) await clock.advance(1000);
          }
          // Then it is calm: the venue answers, nobody is killed, and a key that was refused is tried again.
          faults.length = 0;
          await clock.advance(120_000);
          for (let minute = 0; minute < calmMinutes; minute += 1) {
            if (minute === 0) await book.syncNow(owner, accountId);
            await dispatch();
            await clock.advance(16_000);
            while ((await begin()) !== undefined) await clock.advance(0);
            await clock.advance(44_000);
          }
          await Promise.all(under);
          expect(wrong).toEqual([]);
          expect(await stored()).toEqual(world.listed());
          expect(await syncStateOf(store, owner, accountId)).toEqual(healthySyncState);
        },
      ),
      { numRuns: runs, seed },
    );
  }, 600_000);
});

/** The answer, or what becomes of it. */
const spoilt = async <T extends object>(
  answer: T,
  fault: Fault | undefined,
  sleep: (ms: number) => Promise<void>,
): Promise<T> => {
  if (fault === undefined) return answer;
  switch (fault.is) {
    case 'bug':
      throw new TypeError('undefined is not a function');
    case 'slow':
      await sleep(fault.seconds * 1000);
      if (fault.seconds > 30) throw new VenueError('binance', 'retryable', 'binance did not answer in time');
      return answer;
    case 'rate-limited': {
      const { seconds } = fault;
      const wait = seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
      throw new VenueError('binance', 'rate-limited', 'binance was asked too often', wait);
    }
    case 'malformed':
      return malformed(answer, fault.how);
    default:
      throw new VenueError('binance', fault.is, `binance says ${fault.is}`);
  }
};

/** A reply that can't be right: one record of it, or one record twice. */
const malformed = <T extends object>(answer: T, how: number): T => {
  const spoil = (records: object[]): object[] => {
    const [first = {}, ...rest] = records;
    const wrong = [
      { amount: '1e5', total: '', contracts: 'NaN' },
      { symbol: '', asset: '' },
      { at: -1, createdAt: 0.5, free: 'x' },
    ][how];
    if (wrong === undefined) return [first, first, ...rest];
    // Not every field is one of the record: a strict schema refuses the others as well.
    return [{ ...first, ...wrong }, ...rest];
  };
  if (Array.isArray(answer)) return spoil(answer) as T;
  return 'items' in answer ? { ...answer, items: spoil([...(answer.items as object[])]) } : answer;
};
