import { adminCountKey, type StoredUser } from '#shared/identity/stored-user';
import { Conflict, type TransactionCanceled } from '#shared/platform/errors';
import type { Write } from '#shared/platform/table';

const isAdmin = ({ role, disabled }: Pick<StoredUser, 'role' | 'disabled'>): boolean =>
  role === 'admin' && disabled !== true;

/** The last writes of a transaction that changes a user: they count the admins, and require that one remains. */
export const adminsCounted = (
  before: Pick<StoredUser, 'role' | 'disabled'>,
  after: Pick<StoredUser, 'role' | 'disabled'>,
): Write[] => {
  const admins = Number(isAdmin(after)) - Number(isAdmin(before));
  if (admins === 0) return [];
  const changes = { add: { admins } };
  return [
    { update: adminCountKey, changes, ...(admins < 0 && { if: { path: 'admins', is: '>', value: 1 } as const }) },
  ];
};

/** @throws {Conflict} only the count, the last of so many writes, prevented the transaction */
export const checkAdminStays = ({ failed }: TransactionCanceled, counted: readonly Write[], writes: number): void => {
  if (counted.length === 1 && failed.length === 1 && failed[0] === writes - 1) {
    throw new Conflict('This is the last admin; make another user an admin first.');
  }
};
