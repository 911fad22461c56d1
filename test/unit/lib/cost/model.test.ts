import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { costTable, priceNote } from '../../../../lib/cost/model.ts';
import { alarmCount, usageOf } from '../../../../lib/cost/usage.ts';
import { ofType } from '../templates.ts';

const textOf = (file: string) => readFileSync(resolve(import.meta.dirname, '../../../..', file), 'utf8');

describe('what a month costs', () => {
  it('is in docs/cost.md as the command prints it, and its totals in the README', () => {
    const page = textOf('docs/cost.md');
    expect(page).toContain(costTable());
    expect(page.replaceAll(/\s+/g, ' ')).toContain(priceNote);
    const [, idle, , hundredUsers] = [...(costTable().split('\n').at(-1) ?? '').matchAll(/\*\*([^*]+)\*\*/g)].map(
      ([, cell]) => cell,
    );
    expect(textOf('README.md').replaceAll(/\s+/g, ' ')).toContain(
      `Idle it costs $${idle} a month, with 100 users $${hundredUsers}`,
    );
  });

  it('counts the alarms that are deployed', () => {
    expect(alarmCount(2)).toBe(ofType('AWS::CloudWatch::Alarm').length);
  });

  it('counts no request and no mail while nobody uses it', () => {
    expect(usageOf(0)).toMatchObject({ httpRequests: 0, socketMessages: 0, socketMinutes: 0, mails: 0 });
  });

  it('never falls when users come', () => {
    const [few, many] = [usageOf(100), usageOf(101)];
    const fallen = Object.entries(few).filter(([unit, amount]) => many[unit as keyof typeof many] < amount);
    expect(fallen).toEqual([]);
  });
});
