import { AccountPosition, differences, listed, soundRecords } from '#shared/accounts/records';
import { positionKey, recordsOf, type StoredPosition } from '#shared/accounts/stored';
import type { Platform } from '#shared/platform/ports';
import type { SyncStep } from './steps.ts';

/** Keeps the open contract positions of an account; one that its venue no longer reports is closed. */
export const positionsStep = ({ table, clock }: Pick<Platform, 'table' | 'clock'>): SyncStep => ({
  name: 'positions',
  run: async ({ account, venue, write, touched }) => {
    const { userId, accountId } = account;
    const reported = await (await venue()).positions();
    const origin = { fetchedAt: clock.now(), source: account.mode };
    const positions = soundRecords(
      account.venue,
      AccountPosition,
      reported.map((position) => ({ ...position, ...origin })),
      ({ symbol, side }) => `${symbol} ${side}`,
    );
    const stored = await listed<StoredPosition>(table, {
      ...recordsOf('position', userId, accountId),
      consistent: true,
    });
    const items = positions.map(
      (position): StoredPosition => ({
        ...positionKey(userId, accountId, position.symbol, position.side),
        ...{ kind: 'position', userId, accountId },
        ...position,
      }),
    );
    await write(differences(stored, items));
    for (const symbol of traded(stored, items)) touched.add(symbol);
    return { items: items.length };
  },
});

/** Symbols whose position differs by more than its price, which moves without a trade. */
const traded = (stored: readonly StoredPosition[], reported: readonly StoredPosition[]): string[] => {
  const held = ({ sk, contracts, entryPrice }: StoredPosition) => `${sk} ${contracts} ${entryPrice}`;
  const [before, after] = [new Set(stored.map(held)), new Set(reported.map(held))];
  const differing = [
    ...stored.filter((position) => !after.has(held(position))),
    ...reported.filter((position) => !before.has(held(position))),
  ];
  return differing.map(({ symbol }) => symbol);
};
