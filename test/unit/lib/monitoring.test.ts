import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VENUE_IN_SYNC } from '#shared/market/market-sync';
import { type Json, ofType, propertiesOf, textOf } from './templates.ts';

const alarms = ofType('AWS::CloudWatch::Alarm');
const runbook = readFileSync(resolve(import.meta.dirname, '../../../docs/runbook.md'), 'utf8');
/** Headings as they are linked to. */
const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
  heading.toLowerCase().replaceAll(' ', '-'),
);

describe('alarms', () => {
  it('tell the operator where to read what to do', () => {
    const linked = alarms.map(
      ([, { Properties }]) => /docs\/runbook\.md#(\S+)$/.exec(Properties.AlarmDescription)?.[1],
    );
    expect(linked.filter((section) => section === undefined || !sections.includes(section))).toEqual([]);
  });

  it('reach the operator by mail, when they begin and when they end', () => {
    expect(propertiesOf('AWS::SNS::Subscription')).toMatchObject([{ Protocol: 'email', Endpoint: 'ops@example.com' }]);
    const [topicId] = ofType('AWS::SNS::Topic')[0] ?? [];
    const told = alarms.map(([, { Properties }]) => [Properties.AlarmActions, Properties.OKActions].flat().map(textOf));
    expect(told).toEqual(alarms.map(() => [topicId, topicId]));
  });

  it('watch the age of both streams', () => {
    expect(alarms.filter(([, { Properties }]) => Properties.MetricName === 'IteratorAge')).toHaveLength(2);
  });
});

describe('metrics', () => {
  it('are counted for each stage by itself, by functions and by alarms alike', () => {
    const spaces = propertiesOf('AWS::Lambda::Function').map(
      ({ Environment }) => Environment.Variables.POWERTOOLS_METRICS_NAMESPACE,
    );
    const ours = propertiesOf('AWS::CloudWatch::Alarm')
      .map(({ Namespace }) => String(Namespace))
      .filter((name) => !name.startsWith('AWS/'));
    expect(new Set([...spaces, ...ours])).toEqual(new Set(['AlphaPulse/dev']));
  });

  it('of mails that come back have alarms before SES stops sending', () => {
    const mails = propertiesOf('AWS::CloudWatch::Alarm').filter(({ Namespace }) => Namespace === 'AWS/SES');
    expect(Object.fromEntries(mails.map(({ MetricName, Threshold }) => [MetricName, Threshold]))).toEqual({
      'Reputation.BounceRate': 0.05,
      'Reputation.ComplaintRate': 0.001,
    });
  });
});

describe('a venue whose sync does not run', () => {
  const [filter] = propertiesOf('AWS::Logs::MetricFilter');
  const [counted] = filter?.MetricTransformations ?? [];
  const stopped = propertiesOf('AWS::CloudWatch::Alarm').filter(({ MetricName }) => MetricName === counted?.MetricName);

  it('is told for each venue by itself', () => {
    expect(stopped.map(({ Dimensions }) => Dimensions)).toEqual([
      [{ Name: 'venue', Value: 'binance' }],
      [{ Name: 'venue', Value: 'kraken' }],
    ]);
  });

  it('is told although it says nothing', () => {
    expect(stopped.map(({ TreatMissingData }) => TreatMissingData)).toEqual(['breaching', 'breaching']);
  });

  it('is known by what the sync logs', () => {
    expect(filter?.FilterPattern).toContain(VENUE_IN_SYNC);
    expect(counted?.Dimensions).toEqual([{ Key: 'venue', Value: '$.venue' }] satisfies Json[]);
  });
});
