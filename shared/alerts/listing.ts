import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import type { Item } from '#shared/platform/table';
import type { Alert, AlertStatus } from './alert.ts';
import { kindOf } from './conditions/conditions.ts';
import { alertKind } from './items.ts';
import { PriceChecks } from './price-checks.ts';
import { alertKey, alertOf, alertPrefix, type StoredAlert } from './stored.ts';

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

type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;

/** A page of the user's alerts that match, newest first; a page that is not the last one is full. */
export const listAlerts = async (
  ports: Ports,
  userId: UserId,
  filter: AlertFilter,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<AlertPage> => {
  const isFiltered = filter.status !== undefined || filter.symbol !== undefined;
  const items: Alert[] = [];
  const checks = new PriceChecks(ports);
  let cursor = page.cursor;
  do {
    const read = await readPage(ports, userId, isFiltered ? filteredAtOnce : page.limit, cursor);
    const matching = await matchesIn(read.alerts, filter, ports, checks);
    const taken = matching.slice(0, page.limit - items.length);
    items.push(...taken.map(([, alert]) => alert));
    // A page that ends in the middle of what was read needs the cursor of its own end.
    const length = items.length === page.limit ? (taken.at(-1)?.[0] ?? 0) + 1 : read.alerts.length;
    cursor = length < read.alerts.length ? (await readPage(ports, userId, length, cursor)).cursor : read.cursor;
  } while (cursor !== undefined && items.length < page.limit);
  return { items, ...(cursor === undefined ? {} : { cursor }) };
};

/** The alerts that match, each with its index. Prices are read for those alone that match by what is stored. */
const matchesIn = async (
  alerts: readonly StoredAlert[],
  { status, symbol }: AlertFilter,
  { clock }: Ports,
  checks: PriceChecks,
): Promise<(readonly [index: number, alert: Alert])[]> => {
  const stored = status === 'waiting' ? 'active' : status;
  const candidates = [...alerts.entries()].filter(
    ([, alert]) =>
      (stored === undefined || alertOf(alert, clock).status === stored) &&
      (symbol === undefined ||
        kindOf(alert.condition)
          .markets(alert.condition)
          .some((each) => each.symbol === symbol)),
  );
  const waiting = await checks.ofAlerts(candidates.map(([, alert]) => alert));
  return candidates
    .map(([index, alert], place) => [index, alertOf(alert, clock, waiting[place])] as const)
    .filter(([, alert]) => status === undefined || alert.status === status);
};

const readPage = async (
  { table }: Ports,
  userId: UserId,
  limit: number,
  after: string | undefined,
): Promise<{ readonly alerts: readonly StoredAlert[]; readonly cursor?: string }> => {
  const { items, cursor } = await table.query<Item>({
    ...{ pk: alertKey(userId, 'x').pk, sk: { prefix: alertPrefix }, descending: true, limit },
    ...(after === undefined ? {} : { cursor: after }),
  });
  const alerts = items.map((item) => alertKind.read(item));
  return { alerts, ...(cursor === undefined ? {} : { cursor }) };
};
