import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NotFound } from '#shared/platform/errors';
import { type Database, DataFolderInUse, openDatabase } from '#shared/platform/sqlite/database';

/**
 * Opens the store of a server that does not run.
 * @throws {NotFound} there is no data folder
 * @throws {DataFolderInUse} the server runs
 */
export const openStoppedStore = async (dataFolder: string): Promise<Database> => {
  // Opening a folder that is not there would make one.
  const store = await stat(join(dataFolder, 'alphapulse.db')).catch(() => undefined);
  if (store === undefined) throw new NotFound(`There is no store in ${dataFolder}; name its folder with --data`);
  try {
    return openDatabase(dataFolder);
  } catch (error) {
    if (!(error instanceof DataFolderInUse)) throw error;
    throw new DataFolderInUse(
      `The data folder ${dataFolder} is in use: stop the server first, and start it afterwards`,
      { cause: error },
    );
  }
};
