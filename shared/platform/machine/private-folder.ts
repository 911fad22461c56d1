import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { DomainError } from '#shared/platform/errors';

/** Permissions of the group and of everybody else. */
const OTHERS = 0o077;
const PRIVATE_FOLDER = 0o700;

/** Other users of this machine can open the folder. */
export class FolderNotPrivate extends DomainError {
  readonly code = 'folder-not-private';
  override readonly name = 'FolderNotPrivate';
}

/**
 * Makes a folder that only its owner can open, or takes the rights of others away from one that exists. Only a folder that is
 * empty or has one of the `own` files is changed: another one, such as a home or `/tmp`, may be open for a reason.
 * @throws {FolderNotPrivate} others can open the folder, and that can't or must not be changed
 */
export const ensurePrivateFolder = async (folder: string, own: readonly string[]): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  // Windows has no such permissions.
  if (process.platform === 'win32' || ((await stat(folder)).mode & OTHERS) === 0) return;
  const names = await readdir(folder);
  const isOurs = names.length === 0 || names.some((name) => own.includes(name));
  const isPrivate =
    isOurs &&
    (await chmod(folder, PRIVATE_FOLDER).then(
      () => true,
      () => false,
    ));
  if (!isPrivate) {
    throw new FolderNotPrivate(
      `Other users of this machine can open the data folder ${folder}: choose another with --data, or close it with chmod 700`,
    );
  }
};
