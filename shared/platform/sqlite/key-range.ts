import { InvalidCursor } from '#shared/platform/errors';
import { positionAttributes, positionOf } from '#shared/platform/items/cursor';
import { checkPartitionKey, SORT_KEY_BYTES_MAX } from '#shared/platform/items/item';
import type { Query } from '#shared/platform/table';

const indexes = {
  table: { pk: 'pk', sk: 'sk' },
  gsi1: { pk: 'gsi1pk', sk: 'gsi1sk' },
  gsi2: { pk: 'gsi2pk', sk: 'gsi2sk' },
} as const;

export interface Selection {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/**
 * The SELECT of a query: at most `rows` texts of items, in order.
 * @throws {InvalidCursor} also where the cursor lies outside of the range
 */
export function selection(query: Query, rows: number): Selection {
  const { pk, sk } = indexes[query.index ?? 'table'];
  const position = positionAttributes(query);
  checkPartitionKey(query.pk, pk);
  const cursor = query.cursor === undefined ? undefined : positionOf(query.cursor, query);
  const past = query.descending ? '<' : '>';
  const bounds = remaining(boundsOf(query.sk), cursor?.[0], past);
  const terms = [`${pk} = ?`, ...bounds.map(([operator]) => `${sk} ${operator} ?`)];
  const parameters: (string | number)[] = [query.pk, ...bounds.map(([, bound]) => bound)];
  if (cursor !== undefined) {
    terms.push(`(${position.join(', ')}) ${past} (${position.map(() => '?').join(', ')})`);
    parameters.push(...cursor);
  }
  const order = position.map((column) => `${column} ${query.descending ? 'DESC' : 'ASC'}`).join(', ');
  parameters.push(rows);
  return { sql: `SELECT item FROM items WHERE ${terms.join(' AND ')} ORDER BY ${order} LIMIT ?`, parameters };
}

/** A cursor takes the place of the bound it started from: given both, SQLite would search from the farther one. */
function remaining(bounds: readonly Bound[], cursor: string | undefined, past: '<' | '>'): readonly Bound[] {
  if (cursor === undefined) return bounds;
  for (const [operator, bound] of bounds) {
    const order = Buffer.compare(Buffer.from(cursor), Buffer.from(bound));
    const within = order === 0 ? operator.endsWith('=') : operator.startsWith(order < 0 ? '<' : '>');
    if (!within) throw new InvalidCursor('The cursor was not given by this query');
  }
  return bounds.filter(([operator]) => !operator.startsWith(past));
}

type Bound = readonly [operator: '<' | '<=' | '>' | '>=', bound: string];

function boundsOf(range: NonNullable<Query['sk']> | undefined): Bound[] {
  const bounds = range === undefined ? [] : unchecked(range);
  for (const [, bound] of bounds) {
    if (!bound.isWellFormed()) throw new TypeError('The bound of a range must be well-formed');
    if (Buffer.byteLength(bound) > SORT_KEY_BYTES_MAX)
      throw new RangeError('The bound of a range is too long for a key');
  }
  return bounds;
}

function unchecked(range: NonNullable<Query['sk']>): Bound[] {
  if ('after' in range) return [['>', range.after]];
  if ('before' in range) return [['<', range.before]];
  if ('prefix' in range) {
    const end = endOfPrefix(range.prefix);
    const start: Bound = ['>=', range.prefix];
    return end === undefined ? [start] : [start, ['<', end]];
  }
  const [low, high] = range.between;
  return [
    ['>=', low],
    ['<=', high],
  ];
}

const LAST_CHARACTER = '\u{10FFFF}';
const LAST_BEFORE_SURROGATES = 0xd7ff;
const FIRST_AFTER_SURROGATES = 0xe000;

/** The first string after all that begin with the prefix; UTF-8 sorts as code points do. Undefined when there is none. */
function endOfPrefix(prefix: string): string | undefined {
  const characters = [...prefix];
  while (characters.at(-1) === LAST_CHARACTER) characters.pop();
  const last = characters.pop()?.codePointAt(0);
  if (last === undefined) return undefined;
  return (
    characters.join('') + String.fromCodePoint(last === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : last + 1)
  );
}
