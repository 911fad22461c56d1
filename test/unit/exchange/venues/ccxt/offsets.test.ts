import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OffsetRead } from '#shared/exchange/venues/ccxt/offsets';
import { isOffsetCursor, readOffsets } from '#shared/exchange/venues/ccxt/offsets';

interface Entry {
  readonly id: number;
  /** Epoch seconds. */
  readonly at: number;
}

/** A list as Kraken tells it. */
const listOf = (entries: Entry[], pageEntries: number): OffsetRead<Entry> => ({
  pageEntries,
  read: async ({ from, to }, offset) => {
    const wanted = entries.filter(({ at }) => at > from && at <= to).toReversed();
    const newest = wanted.toSorted((a, b) => b.at - a.at);
    return { entries: newest.slice(offset, offset + pageEntries), total: newest.length };
  },
});

const start = 1_700_000_000;
type Answer = Awaited<ReturnType<typeof readOffsets<Entry>>>;

describe('a list that is told newest first', () => {
  it('is read completely and in order, whatever is added meanwhile', async () => {
    const history = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 });
    const additions = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(history, additions, fc.integer({ min: 1, max: 7 }), async (ages, added, pageEntries) => {
        let id = 0;
        let now = start + 100;
        const times = ages.map((age) => now - age).toSorted((a, b) => a - b);
        const entries: Entry[] = times.map((at) => ({ id: id++, at }));
        const list = listOf(entries, pageEntries);
        const told: Entry[] = [];
        let cursor: string | null = null;
        for (const more = [...added, 0]; more.length > 0; ) {
          const answer: Answer = await readOffsets(list, cursor, now * 1000);
          if (answer === undefined) throw new Error('The list is taken for one with gaps');
          expect(isOffsetCursor(answer.cursor)).toBe(true);
          told.push(...answer.entries);
          ({ cursor } = answer);
          const count = answer.more ? (more.length > 1 ? more.shift() : 0) : more.shift();
          for (let index = 0; index < (count ?? 0); index++) entries.push({ id: id++, at: now });
          if (!answer.more) now += 1;
        }
        for (let unread = true; unread; ) {
          const answer: Answer = await readOffsets(list, cursor, (now + 1) * 1000);
          told.push(...(answer?.entries ?? []));
          ({ cursor, more: unread } = answer ?? { cursor, more: false });
        }
        const firsts = [...new Set(told.map((entry) => entry.id))];
        expect(firsts).toEqual(entries.map((entry) => entry.id));
      }),
      { numRuns: 300 },
    );
  });

  it('is told once by each reading when nothing is added', async () => {
    const entries = Array.from({ length: 23 }, (_, id) => ({ id, at: start }));
    const told: number[] = [];
    let cursor: string | null = null;
    for (let more = true; more; ) {
      const answer: Answer = await readOffsets(listOf(entries, 5), cursor, (start + 1000) * 1000);
      told.push(...(answer?.entries.map(({ id }) => id) ?? []));
      ({ cursor, more } = answer ?? { cursor, more: false });
    }
    expect(told).toEqual(entries.map(({ id }) => id));
    const again = await readOffsets(listOf(entries, 5), cursor, (start + 1001) * 1000);
    expect(again).toMatchObject({ entries: [], more: false });
  });
});
