import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { costTable, priceNote } from '../../../../lib/cost/model.ts';
import { alarmCount, usageOf } from '../../../../lib/cost/usage.ts';
import { ofType } from '../templates.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../../../../README.md'), 'utf8');

describe('what a month costs', () => {
  it('stands in the README as the command prints it', () => {
    expect(readme).toContain(costTable());
    expect(readme.replaceAll(/\s+/g, ' ')).toContain(priceNote);
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
