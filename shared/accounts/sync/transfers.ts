import { AccountTransfer, isSameRecord, soundRecords } from '#shared/accounts/records';
import { type StoredTransfer, transferKey } from '#shared/accounts/stored';
import type { Platform } from '#shared/platform/ports';
import { type SyncStep, succeededAt } from './steps.ts';

/** Deposits and withdrawals are rare and slow, and their lists cost much of a venue's limit. */
const everySeconds = 600;
const dayMs = 86_400_000;
/** How far back the first sync goes. */
const firstDays = 90;
/** How far before the last success each later one begins: a transfer may take that long to end. */
const overlapDays = 14;

/** Keeps the deposits and withdrawals of an account, with their states. */
export const transfersStep = ({ table, clock }: Pick<Platform, 'table' | 'clock'>): SyncStep => ({
  name: 'transfers',
  everySeconds,
  run: async ({ account, before, venue, write }) => {
    const { userId, accountId } = account;
    const now = clock.now();
    const lastSuccessAt = succeededAt(before, now);
    const since = lastSuccessAt === null ? now - firstDays * dayMs : lastSuccessAt - overlapDays * dayMs;
    const { items: reported, rejected } = await (await venue()).transfers(since);
    const origin = { fetchedAt: clock.now(), source: account.mode };
    const transfers = soundRecords(
      account.venue,
      AccountTransfer,
      reported.map(({ fee, ...transfer }) => ({ ...transfer, fee: fee && { ...fee }, ...origin })),
      ({ type, transferId }) => `${type} ${transferId}`,
    );
    const items = transfers.map(
      (transfer): StoredTransfer => ({
        ...transferKey(userId, accountId, transfer.type, transfer.transferId),
        ...{ kind: 'transfer', userId, accountId },
        ...transfer,
      }),
    );
    const stored = new Map(
      (await table.getMany<StoredTransfer>(items, { consistent: true })).map((transfer) => [transfer.sk, transfer]),
    );
    await write(
      items.flatMap((put) => {
        const known = stored.get(put.sk);
        return known !== undefined && isSameRecord(known, put) ? [] : [{ put }];
      }),
    );
    return { items: items.length, rejected };
  },
});
