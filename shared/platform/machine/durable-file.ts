import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Only the owner may read or write. */
const PRIVATE = 0o600;

/** Replaces a file of the folder as a whole: readers see the old or the new one, also after a power cut. */
export async function replaceFileDurably(folder: string, name: string, content: string): Promise<void> {
  const draft = await writeDraft(folder, name, content);
  await rename(draft, join(folder, name));
  await sync(folder);
}

/** Creates a file of the folder with its whole content, unless it exists. @returns the content stored now */
export async function createFileDurably(folder: string, name: string, content: Buffer): Promise<Buffer> {
  const draft = await writeDraft(folder, name, content);
  try {
    await link(draft, join(folder, name));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await sync(folder);
  return readFile(join(folder, name));
}

/** A draft that an earlier process left behind is replaced. */
async function writeDraft(folder: string, name: string, content: string | Buffer): Promise<string> {
  const draft = join(folder, `${name}.draft`);
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', PRIVATE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** A new name in a folder survives a power cut once the folder itself is on the disk. */
async function sync(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
