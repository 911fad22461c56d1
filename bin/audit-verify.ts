#!/usr/bin/env node
import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { auditVerifyUsage, readAuditVerifyOptions } from '#local/audit-verify-options';
import type { Place } from '#local/command-options';
import { BadOption } from '#local/given-settings';
import { type Finding, type TrailEnd, TrailEnds, type Verification, verifyAudit } from '#shared/audit/verify';
import type { Table } from '#shared/platform/table';
import { complaintOf } from './complaint.ts';

const verify = async (place: Place, expected: readonly TrailEnd[]): Promise<Verification> => {
  const print = ({ trail, seq, fault }: Finding) =>
    console.log(`Trail ${trail}${seq === null ? '' : `, entry ${seq}`} ${fault}.`);
  const walk = (table: Table) => verifyAudit(table, expected, print);
  if (place.type === 'here') {
    const [{ openStoppedStore }, { SqliteTable }, { systemClock }] = await Promise.all([
      import('#local/stopped-store'),
      import('#shared/platform/sqlite/table'),
      import('#shared/platform/system'),
    ]);
    const database = await openStoppedStore(place.dataFolder);
    try {
      return await walk(new SqliteTable(database, systemClock));
    } finally {
      database.close();
    }
  }
  Object.assign(process.env, place.env);
  const [{ deployedTable }, { stackNames }] = await Promise.all([
    import('./deployed-table.ts'),
    import('../lib/stack-names.ts'),
  ]);
  return walk(await deployedTable(stackNames(place.stage).state));
};

const endsIn = async (file: string): Promise<readonly TrailEnd[]> => {
  try {
    return TrailEnds.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const isForm = cause instanceof SyntaxError || cause instanceof z.ZodError;
    throw new BadOption(isForm ? `${file} was not written by --save.` : `${file} can't be read.`);
  }
};

const save = async (file: string, ends: readonly TrailEnd[]): Promise<void> => {
  try {
    await writeFile(file, `${JSON.stringify(ends, null, 1)}\n`, { mode: 0o600 });
  } catch {
    throw new BadOption(`${file} can't be written.`);
  }
};

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

const summaryOf = ({ entries, ends, findings }: Verification): string => {
  const walked = `${count(entries, 'entry', 'entries')} of ${count(ends.length, 'trail', 'trails')}`;
  const verdict = findings.length === 0 ? 'as they were written' : `${count(findings.length, 'fault', 'faults')} found`;
  const system = ends.find(({ trail }) => trail === 'system');
  const end = system === undefined ? [] : [`The system's trail ends at entry ${system.seq}, ${system.hash}.`];
  return [`${walked}: ${verdict}.`, ...end].join('\n');
};

try {
  const options = readAuditVerifyOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    console.log(auditVerifyUsage);
  } else {
    const expected = options.expectFrom === undefined ? [] : await endsIn(options.expectFrom);
    const verification = await verify(options.place, expected);
    console.log(summaryOf(verification));
    if (verification.findings.length > 0) process.exitCode = 1;
    else if (options.saveTo !== undefined) await save(options.saveTo, verification.ends);
  }
} catch (error) {
  process.exitCode = 2;
  // Thrown on, an error would end the process with 1, which says that the log was tampered with.
  console.error(complaintOf(error) ?? error);
}
