import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock } from '#shared/platform/system';

/** Writes items into the folder for ever, several at a time, and prints the key of each once it is confirmed. */
const table = new SqliteTable(openDatabase(process.argv[2] ?? ''), systemClock);

const write = async (writer: string): Promise<void> => {
  for (let n = 0; ; n++) {
    const sk = `${writer}${n}`;
    const item = { pk: 'p', sk, kind: 'thing', text: 'x'.repeat(n % 3000) };
    if (n % 3 === 0) await table.put(item);
    else if (n % 3 === 1) await table.writeMany([{ put: item }]);
    else await table.transact([{ put: item }]);
    process.stdout.write(`${sk}\n`);
  }
};

await Promise.all(['a', 'b', 'c'].map(write));
