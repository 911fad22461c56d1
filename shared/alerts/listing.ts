import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import type { Item } from '#shared/platform/table';
import type { Alert, AlertStatus } from './alert.ts';
import { kindOf } from './conditions/conditions.ts';
import { alertKind } from './items.ts';
import { alertKey, alertOf, alertPrefix } from './stored.ts';

/** Alerts read at once where a filter leaves out some of them. */
const filteredAtOnce = 200;

export interface AlertFilter {
  readonly status?: AlertStatus;
  /** One of the symbols that the condition is about. */
  readonly symbol?: string;
}

export interface AlertPage {
  readonly items: Alert[];
  readonly cursor?: string;
}

type Ports = Pick<Platform, 'table' | 'clock'>;

/** A page of the user's alerts that match, newest first; a page that is not the last one is full. */
export const listAlerts = async (
  ports: Ports,
  userId: UserId,
  filter: AlertFilter,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<AlertPage> => {
  const isFiltered = filter.status !== undefined || filter.symbol !== undefined;
  const items: Alert[] = [];
  let cursor = page.cursor;
  do {
    const read = await readPage(ports, userId, isFiltered ? filteredAtOnce : page.limit, cursor);
    const matching = [...read.items.entries()].filter(([, alert]) => matches(alert, filter));
    const taken = matching.slice(0, page.limit - items.length);
    items.push(...taken.map(([, alert]) => alert));
    // A page that ends in the middle of what was read needs the cursor of its own end.
    const length = items.length === page.limit ? (taken.at(-1)?.[0] ?? 0) + 1 : read.items.length;
    cursor = length < read.items.length ? (await readPage(ports, userId, length, cursor)).cursor : read.cursor;
  } while (cursor !== undefined && items.length < page.limit);
  return { items, ...(cursor === undefined ? {} : { cursor }) };
};

const matches = ({ status, condition }: Alert, filter: AlertFilter): boolean =>
  (filter.status === undefined || status === filter.status) &&
  (filter.symbol === undefined || kindOf(condition).symbols(condition).includes(filter.symbol));

const readPage = async (
  { table, clock }: Ports,
  userId: UserId,
  limit: number,
  after: string | undefined,
): Promise<AlertPage> => {
  const { items, cursor } = await table.query<Item>({
    ...{ pk: alertKey(userId, 'x').pk, sk: { prefix: alertPrefix }, descending: true, limit },
    ...(after === undefined ? {} : { cursor: after }),
  });
  const alerts = items.map((item) => alertOf(alertKind.read(item), clock));
  return { items: alerts, ...(cursor === undefined ? {} : { cursor }) };
};
