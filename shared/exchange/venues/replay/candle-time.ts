/** Digits of epoch times by their unit, and how many ms one is: 2001-09-09 to 2286-11-20 have so many. */
const EPOCHS: readonly (readonly [pattern: RegExp, perMs: number])[] = [
  [/^\d{10}$/, 1e-3],
  // Before 2001-09-09 a time in ms has 12 digits.
  [/^\d{12,13}$/, 1],
  [/^\d{16}$/, 1e3],
  [/^\d{19}$/, 1e6],
];

const TIME = /^(\d{4}-\d\d-(\d\d))(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)( ?UTC|Z|[+-]\d\d:?\d\d)?)?$/;

/** Epoch ms of a cell: a date, ISO 8601, or an epoch time in s, ms, µs or ns. Without a zone it is UTC. */
export const parseTime = (cell: string): number | undefined => {
  // pandas writes seconds as floats where a column had gaps.
  const whole = cell.replace(/^(\d{10,19})\.0+$/, '$1');
  const epoch = EPOCHS.find(([pattern]) => pattern.test(whole));
  if (epoch !== undefined) return Math.floor(Number(whole) / epoch[1]);
  const [, date, day, time = '00:00', zone = 'Z'] = TIME.exec(cell) ?? [];
  if (date === undefined) return undefined;
  // Date.parse would read the 30th of February as a day in March.
  if (Number(day) > 28 && new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return undefined;
  const offset = zone.trim() === 'UTC' ? 'Z' : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const timestamp = Date.parse(`${date}T${time.replace(/(\.\d{3})\d+$/, '$1')}${offset}`);
  return Number.isNaN(timestamp) ? undefined : timestamp;
};
