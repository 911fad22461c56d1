import type { Refuse } from './bad-candle-file.ts';
import { isMonthStep, Timeframe } from './timeframe.ts';

/** A candle is played in steps of a whole millisecond at least. */
const INTERVAL_MIN_MS = 1000;
const DAY_MS = 86_400_000;

/** The starts of a file's candles, put in order. */
export interface CandleGrid {
  readonly timeframe: Timeframe;
  /** As many as were given, in the same order. */
  readonly times: readonly number[];
  readonly notes: readonly string[];
}

/**
 * Checks that rows follow each other in one direction, and moves those back to the timeframe's grid that an exchange
 * shifted, as Binance's minutes after its outage of 2018-02-08.
 * @param times starts of the rows in the file's order, epoch ms
 * @param given undefined: it is taken from the rows
 * @param refuse a row by its index
 */
export const gridOf = (times: readonly number[], given: Timeframe | undefined, refuse: Refuse): CandleGrid => {
  const isDescending = (times[0] ?? 0) > (times[1] ?? Number.POSITIVE_INFINITY);
  const ascending = isDescending ? times.toReversed() : times;
  const rowOf = (index: number): number => (isDescending ? times.length - 1 - index : index);
  for (let index = 1; index < times.length; index++) {
    const step = ((times[index] ?? 0) - (times[index - 1] ?? 0)) * (isDescending ? -1 : 1);
    if (step === 0) refuse('has the time of the row before', index);
    if (step < 0) refuse(isDescending ? 'is newer than the row before' : 'is older than the row before', index);
  }
  const timeframe = given ?? timeframeOf(ascending, refuse);
  const notes = isDescending ? ['its rows are newest first'] : [];
  if (given === undefined) notes.push(`its rows have the timeframe ${timeframe.name}`);
  const { aligned, moved } = alignedTo(timeframe, ascending);
  if (moved > 0) notes.push(`${moved} rows off the grid of ${timeframe.name} were moved back to it`);
  for (let index = 1; index < aligned.length; index++) {
    const start = aligned[index - 1] ?? 0;
    const leastMs = timeframe.endOf(start) - start - timeframe.slackMs;
    if ((aligned[index] ?? 0) - start >= leastMs) continue;
    const step = (ascending[index] ?? 0) - (ascending[index - 1] ?? 0);
    refuse(`starts ${step} ms after the row before, but a candle lasts ${leastMs} ms`, rowOf(index));
  }
  notes.push(...gapsIn(timeframe, aligned));
  return { timeframe, times: isDescending ? aligned.toReversed() : aligned, notes };
};

/** The timeframe by the steps between rows: the most common step, which no other may fall short of. */
const timeframeOf = (times: readonly number[], refuse: Refuse): Timeframe => {
  const steps = new Map<number, number>();
  let areMonths = times.length > 1;
  for (let index = 1; index < times.length; index++) {
    const [from = 0, to = 0] = [times[index - 1], times[index]];
    steps.set(to - from, (steps.get(to - from) ?? 0) + 1);
    areMonths &&= isMonthStep(from, to);
  }
  if (areMonths) return Timeframe.month;
  const [commonest] = [...steps].toSorted(([, one], [, other]) => other - one);
  const stepMs = commonest?.[0];
  const isCertain = stepMs !== undefined && stepMs >= INTERVAL_MIN_MS && Math.min(...steps.keys()) >= stepMs;
  if (!isCertain) {
    return refuse(
      'the timeframe is not known or below a second; give it with --timeframe 1m, or call the file like BTCUSDT_1m.csv',
    );
  }
  return Timeframe.ofMs(stepMs);
};

/** Rows within a day whose starts do not share one phase begin where their candle of the grid does. */
const alignedTo = (
  { fixedMs }: Timeframe,
  times: readonly number[],
): { readonly aligned: readonly number[]; readonly moved: number } => {
  if (fixedMs === undefined || fixedMs >= DAY_MS) return { aligned: times, moved: 0 };
  const phase = (times[0] ?? 0) % fixedMs;
  if (times.every((time) => time % fixedMs === phase)) return { aligned: times, moved: 0 };
  const isOnGrid = (time: number) => time % fixedMs === 0;
  const offset = times.filter(isOnGrid).length * 2 >= times.length ? 0 : phase;
  const aligned = times.map((time) => time - ((((time - offset) % fixedMs) + fixedMs) % fixedMs));
  return { aligned, moved: aligned.filter((time, index) => time !== times[index]).length };
};

const gapsIn = (timeframe: Timeframe, times: readonly number[]): string[] => {
  let count = 0;
  let longest = { from: 0, to: 0 };
  for (let index = 1; index < times.length; index++) {
    const from = timeframe.endOf(times[index - 1] ?? 0);
    const to = times[index] ?? 0;
    if (to <= from + timeframe.slackMs) continue;
    count++;
    if (to - from > longest.to - longest.from) longest = { from, to };
  }
  if (count === 0) return [];
  const range = `${new Date(longest.from).toISOString()} to ${new Date(longest.to).toISOString()}`;
  return [count === 1 ? `it has a gap from ${range}` : `it has ${count} gaps, the longest from ${range}`];
};
