import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Grants, Trigger } from '#functions/manifest';
import { grantedPlatform, NotGranted } from '#local/granted';
import { createLocalPlatform } from '#local/platform';
import { localLogger } from '#local/telemetry';
import { createNetwork } from '#shared/platform/network';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { systemRandom } from '#shared/platform/system';
import { testConfig } from '../../support/test-platform.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'alphapulse-'));
afterAll(() => rmSync(dataFolder, { recursive: true }));

const platform = createLocalPlatform({
  config: testConfig,
  database: openMemoryDatabase(),
  dataFolder,
  clock: new VirtualClock(),
  random: systemRandom,
  network: createNetwork({ publicOnly: false }),
  logger: localLogger('SILENT'),
  mailServer: undefined,
});
const granting = (grants: Grants, trigger: Trigger = { type: 'authorizer' }) =>
  grantedPlatform(platform, { name: 'some-api', grants, trigger });

const item = { pk: 'A', sk: 'B', kind: 'note' };
const mail = { id: '1', to: 'a@example.com', subject: '', text: '', html: '' };
const uses: [string, Grants, (own: ReturnType<typeof granting>) => Promise<unknown>][] = [
  ['reading the table', { table: 'read' }, ({ table }) => table.get(item)],
  ['writing the table', { table: 'read-write' }, ({ table }) => table.put(item)],
  ['a transaction', { table: 'read-write' }, ({ table }) => table.transact([{ put: item }])],
  [
    'changing a secret',
    { secrets: ['token-signing'], writeSecrets: ['token-signing'] },
    ({ secrets }) => secrets.put('token-signing', 'x'),
  ],
  ['a secret', { secrets: ['token-signing'] }, ({ secrets }) => secrets.get('token-signing')],
  [
    'reading a secret of a family',
    { secretFamilies: { 'exchange-credentials': 'read' } },
    ({ secrets }) => secrets.get('exchange-credentials/1'),
  ],
  [
    'writing a secret of a family',
    { secretFamilies: { 'exchange-credentials': 'read-write' } },
    ({ secrets }) => secrets.put('exchange-credentials/1', 'x'),
  ],
  ['mail', { mail: true }, ({ mailer }) => mailer.send(mail)],
  ['push', { push: true }, ({ push }) => push.send('c', '')],
  ['sending', { send: ['deliveries'] }, (own) => own.queue('deliveries').send([{ body: 'x' }])],
  ['receiving', { receive: ['deliveries'] }, (own) => own.queue('deliveries').receive(1, 1)],
  ['watching a queue', { watch: ['deliveries'] }, (own) => own.queue('deliveries').depth()],
];

describe('grantedPlatform', () => {
  it.each(uses)('lets a function do what it is granted: %s', async (_, grants, use) => {
    await use(granting(grants));
  });

  it.each(uses)('refuses what is not granted: %s', async (_, _grants, use) => {
    await expect(use(granting({}))).rejects.toThrow(NotGranted);
  });

  it('refuses writes where only reading is granted', async () => {
    await expect(granting({ table: 'read' }).table.put(item)).rejects.toThrow(NotGranted);
  });

  it('lets a function that serves requests and only reads count them, and write nothing else', async () => {
    const { table } = granting({ table: 'read' }, { type: 'http', routes: [] });
    await table.update({ pk: 'LIMIT#ADDRESS#192.0.2.1', sk: 'x' }, { add: { requests: 1 } });
    await expect(table.update({ pk: 'LIMITED', sk: 'x' }, { add: { requests: 1 } })).rejects.toThrow(NotGranted);
    await expect(table.put({ pk: 'LIMIT#ADDRESS#192.0.2.1', sk: 'x', kind: 'limit' })).rejects.toThrow(NotGranted);
  });

  it('refuses to count requests to a function that serves none', async () => {
    const { table } = granting({ table: 'read' });
    await expect(table.update({ pk: 'LIMIT#USER#1', sk: 'x' }, { add: { requests: 1 } })).rejects.toThrow(NotGranted);
  });

  it('lets a reader of the table write where its keys are granted, and nowhere else', async () => {
    const { table } = granting({ table: 'read', writeKeys: ['NOTE#'] });
    const note = { pk: 'NOTE#1', sk: 'x', kind: 'note' };
    await table.put(note);
    await table.update(note, { set: { text: 'x' } });
    await table.transact([{ put: { ...note, pk: 'NOTE#2' } }, { check: item, if: { path: 'x', is: 'absent' } }]);
    for (const refused of [
      table.put({ ...note, pk: 'NOTES' }),
      table.transact([{ put: note }, { put: item }]),
      table.transact([{ delete: note }]),
      table.delete(note),
      table.writeMany([{ put: note }]),
    ]) {
      await expect(refused).rejects.toThrow(NotGranted);
    }
  });

  it('lets an owner of keys write and delete there in every way, and nowhere else', async () => {
    const { table } = granting({ table: 'read', ownKeys: ['NOTE#'] });
    const note = { pk: 'NOTE#1', sk: 'x', kind: 'note' };
    await table.writeMany([{ put: note }, { delete: { pk: 'NOTE#2', sk: 'x' } }]);
    await table.transact([{ delete: note }]);
    await table.delete(note);
    for (const refused of [table.delete(item), table.writeMany([{ put: note }, { put: item }])]) {
      await expect(refused).rejects.toThrow(NotGranted);
    }
  });

  it('lets a writer of some keys write many items only under conditions', async () => {
    const { table } = granting({ table: 'read', writeKeys: ['NOTE#'] });
    const note = { pk: 'NOTE#1', sk: 'x', kind: 'note' };
    await table.writeMany([{ put: note, if: { path: 'pk', is: 'absent' } }]);
    await expect(table.writeMany([{ put: note }])).rejects.toThrow(NotGranted);
  });

  it('lets a writer of the table put items of the audit log, and neither change nor delete them', async () => {
    const { table } = granting({ table: 'read-write' });
    const entry = { pk: 'AUDIT#1', sk: 'x', kind: 'audit' };
    await table.transact([{ put: entry }]);
    for (const refused of [
      table.update(entry, { set: { text: 'x' } }),
      table.delete(entry),
      table.writeMany([{ delete: entry }]),
      table.transact([{ put: item }, { delete: entry }]),
    ]) {
      await expect(refused).rejects.toThrow(NotGranted);
    }
  });

  it('refuses to change a secret where only reading is granted', async () => {
    const { secrets } = granting({ secrets: ['token-signing'] });
    await expect(secrets.put('token-signing', 'x')).rejects.toThrow(NotGranted);
  });

  it('refuses to write a secret of a family where only reading is granted', async () => {
    const { secrets } = granting({ secretFamilies: { 'exchange-credentials': 'read' } });
    await expect(secrets.put('exchange-credentials/1', 'x')).rejects.toThrow(NotGranted);
  });

  it('refuses a secret that only begins like a family', async () => {
    const { secrets } = granting({ secretFamilies: { 'exchange-credentials': 'read-write' } });
    await expect(secrets.get('exchange-credentials-of-others/1')).rejects.toThrow(NotGranted);
  });

  it('names the function and the grant that is missing', async () => {
    await expect(granting({}).mailer.send(mail)).rejects.toThrow(/some-api.*functions\/manifest\.ts.*mail: true/);
  });
});
