import type { UserId } from '#shared/model/user-id';
import { every, type Item, type Table } from '#shared/platform/table';

/** Everything in a user's partition. */
export const partitionOf = async (table: Table, userId: UserId): Promise<Item[]> => {
  const items: Item[] = [];
  for await (const item of every<Item>(table, { pk: `USER#${userId}`, consistent: true })) items.push(item);
  return items;
};

/** Every text in a JSON value, names as well. */
export const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)]);
};
