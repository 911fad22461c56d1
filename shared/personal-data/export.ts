import * as z from 'zod';
import { shown } from '#shared/accounts/account-records';
import { AccountBalance, AccountOrder, AccountPosition, AccountTrade, AccountTransfer } from '#shared/accounts/records';
import { accountOf, type OfAccount, type StoredAccount } from '#shared/accounts/stored';
import { alertKind } from '#shared/alerts/items';
import { alertOf } from '#shared/alerts/stored';
import { AuditReader } from '#shared/audit/audit-reader';
import { apiKeyView } from '#shared/auth/api-keys';
import { type ApiKeyOwner, apiKeyOwnerKey, type StoredApiKey } from '#shared/auth/stored-api-key';
import type { StoredSession } from '#shared/auth/stored-session';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { notificationOf, type StoredNotification } from '#shared/notifications/notification';
import { InvalidCursor } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Item } from '#shared/platform/table';
import { profileOf } from '#shared/users/users';

/** A page ends with the stretch that brings it here; an answer of Lambda may have 6 MB. */
const pageBytes = 2 * 1024 * 1024;
/** Items read at once, and how often for a page: much of what is read may be left out. */
const stretchItems = 100;
const stretchesMax = 100;

/** Something that is kept of a user, and what it is. */
const Exported = z.looseObject({ kind: z.string() });
type Exported = z.infer<typeof Exported>;

export const ExportPage = z
  .strictObject({
    exportedAt: z.int().describe('Epoch milliseconds'),
    items: z.array(Exported).describe('The profile, and all else by its kind, as the API shows it'),
    nextCursor: z.string().nullable().describe('Where the next part begins; null: there is none'),
  })
  .meta({ id: 'Export' });

type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;
type View = (item: Item, ports: Ports) => object | Promise<object>;

/** @param view what of an item its user gets to see; the kind says that it is of this type */
const as =
  <T extends Item>(view: (item: T, ports: Ports) => object | Promise<object>): View =>
  (item, ports) =>
    view(item as T, ports);
const ofAccount = (schema: Parameters<typeof shown>[0]): View =>
  as<OfAccount>((item) => ({ accountId: item.accountId, ...shown<object>(schema, item) }));

/** What is exported of each kind of item in a user's partition. */
export const EXPORTED: Readonly<Record<string, View>> = {
  user: as<StoredUser>((user, { config }) => profileOf(user, config)),
  session: as<StoredSession>(({ sessionId: id, device, address, createdAt, lastUsedAt }) => ({
    ...{ id, device, address, createdAt, lastUsedAt },
  })),
  'api-key': as<StoredApiKey>(async (key, { table }) =>
    apiKeyView(key, await table.get<ApiKeyOwner>(apiKeyOwnerKey(key.hash))),
  ),
  account: as<StoredAccount>((account, { config }) => ({ ...accountOf(account, config), paper: account.paper })),
  balance: ofAccount(AccountBalance),
  position: ofAccount(AccountPosition),
  order: ofAccount(AccountOrder),
  trade: ofAccount(AccountTrade),
  transfer: ofAccount(AccountTransfer),
  alert: (item, { clock }) => alertOf(alertKind.read(item), clock),
  notification: as<StoredNotification>(notificationOf),
};

/** Kinds of items in a user's partition that are not exported, and why. */
export const NOT_EXPORTED: Readonly<Record<string, string>> = {
  sessions: 'a counter that guards sessions',
  'api-keys': 'a counter that guards keys',
  'account-count': 'a number of what is exported',
  'alert-count': 'a number of what is exported',
  feed: 'the number of the newest notification',
  'account-schedule': 'when an account is synchronised next: its period is exported',
  'trade-cursor': "how far a venue's list was read",
  'account-symbols': 'what to ask a venue for, taken from balances, orders and trades',
  totp: 'the sealed secret of the second factor, and hashes of recovery codes: the profile says that there is one',
  'totp-setup': 'a sealed secret that does not count yet',
  'mailed-token': 'the hash of a token that was mailed',
  idempotency: 'answers that were given already, kept for a day',
};

/** Everything that is kept of a user, page by page: first their partition, then their audit trail. */
export class UserExport {
  readonly #ports: Ports;
  readonly #audit: AuditReader;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#audit = new AuditReader(ports);
  }

  /** @param cursor that of the page before @throws {InvalidCursor} */
  async page(
    userId: UserId,
    cursor: string | undefined,
  ): Promise<{ readonly items: Exported[]; readonly cursor?: string }> {
    const items: Exported[] = [];
    let next: Place | undefined = placeOf(cursor);
    for (let bytes = 0, read = 0; next !== undefined && bytes < pageBytes && read < stretchesMax; read += 1) {
      const stretch: Stretch = await this.#stretch(userId, next);
      items.push(...stretch.items);
      bytes += stretch.items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
      next = stretch.next;
    }
    return { items, ...(next === undefined ? {} : { cursor: textOf(next) }) };
  }

  async #stretch(userId: UserId, { part, cursor }: Place): Promise<Stretch> {
    const page = { limit: stretchItems, ...(cursor === undefined ? {} : { cursor }) };
    if (part === 'audit') {
      const read = await this.#audit.ofUser(userId, {}, page);
      const items = read.items.map((entry) => ({ kind: 'audit-entry', ...entry }));
      return { items, next: read.cursor === undefined ? undefined : { part, cursor: read.cursor } };
    }
    const read = await this.#ports.table.query<Item>({ pk: userKey(userId).pk, ...page, consistent: true });
    const items = await Promise.all(
      read.items.map(async (item) => {
        const view = EXPORTED[item.kind];
        return view === undefined ? [] : [{ kind: item.kind, ...(await view(item, this.#ports)) }];
      }),
    );
    return { items: items.flat(), next: read.cursor === undefined ? { part: 'audit' } : { part, cursor: read.cursor } };
  }
}

/** Where a page goes on: in the user's partition or in their trail. */
interface Place {
  readonly part: 'user' | 'audit';
  readonly cursor?: string | undefined;
}

interface Stretch {
  readonly items: Exported[];
  readonly next: Place | undefined;
}

const textOf = ({ part, cursor = '' }: Place): string => `${part}.${cursor}`;

const placeOf = (text: string | undefined): Place => {
  if (text === undefined) return { part: 'user' };
  const [, part, cursor] = /^(user|audit)\.(.*)$/s.exec(text) ?? [];
  if (part !== 'user' && part !== 'audit') throw new InvalidCursor('The cursor was not given by this list');
  return { part, cursor: cursor === '' ? undefined : cursor };
};
