import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SesMailer, sesClient } from '#shared/platform/aws/ses-mailer';
import { FileSecrets } from '#shared/platform/machine/secrets';
import { openDatabase, openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteOutbox } from '#shared/platform/sqlite/outbox';
import { SqliteQueue } from '#shared/platform/sqlite/queue';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { httpRecorder, towards } from '../support/http-recorder.ts';
import { MemorySecrets } from '../support/test-platform.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { mailerContract } from './mailer.contract.ts';
import { queueContract } from './queue.contract.ts';
import { secretsContract } from './secrets.contract.ts';
import { tableContract, tableRefusals } from './table.contract.ts';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'alphapulse-'));

const openInMemory = async () => {
  const database = openMemoryDatabase();
  return { table: new SqliteTable(database, new VirtualClock()), close: async () => database.close() };
};
tableContract('SQLite in memory', openInMemory);
tableRefusals('SQLite', openInMemory);

tableContract('SQLite in a folder', async () => {
  const folder = await newFolder();
  const database = openDatabase(folder);
  const close = async () => {
    database.close();
    await rm(folder, { recursive: true });
  };
  return { table: new SqliteTable(database, new VirtualClock()), close };
});

queueContract('SQLite', async () => {
  const database = openMemoryDatabase();
  const clock = new VirtualClock();
  const ids = uuidV7Ids(clock, systemRandom);
  const maxReceives = 3;
  return {
    queue: new SqliteQueue({ database, name: 'deliveries', clock, ids, maxReceives }),
    deadLetters: new SqliteQueue({ database, name: 'deliveries-dead', clock, ids, maxReceives }),
    maxReceives,
    advance: (ms) => clock.advance(ms),
    close: async () => database.close(),
  };
});

secretsContract('encrypted file', async () => {
  const folder = await newFolder();
  return { secrets: new FileSecrets(folder), close: () => rm(folder, { recursive: true }) };
});

secretsContract('memory, for tests', async () => ({ secrets: new MemorySecrets(), close: async () => undefined }));

const accepted = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>1</MessageId></SendEmailResult></SendEmailResponse>',
};

mailerContract('SES', async () => {
  const service = await httpRecorder(...Array.from({ length: 3 }, () => accepted));
  const client = sesClient(towards(service));
  return {
    mailer: new SesMailer({ client, from: 'alerts@example.com' }),
    sent: async () =>
      service.requests.map(({ body }, index) => {
        const field = (name: string) => new URLSearchParams(body).get(name) ?? '';
        return {
          id: String(index),
          to: field('Destination.ToAddresses.member.1'),
          subject: field('Message.Subject.Data'),
          text: field('Message.Body.Text.Data'),
          html: field('Message.Body.Html.Data'),
        };
      }),
    close: async () => client.destroy(),
  };
});

mailerContract('outbox', async () => {
  const database = openMemoryDatabase();
  const outbox = new SqliteOutbox(database, new VirtualClock());
  return { mailer: outbox, sent: async () => outbox.list(100), close: async () => database.close() };
});
