import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { VENUE_IN_SYNC } from '#shared/market/market-sync';
import type { DeployedFunction } from './deployed-function.ts';
import { metricsNamespace } from './environment.ts';
import type { MailSender } from './mail-sender.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

const period = Duration.minutes(5);
/** A stream consumer this far behind delays alerts and live feeds. */
const iteratorAgeMaxMs = 60_000;

/** The sections of the runbook, one per kind of alarm. */
export type RunbookSection =
  | 'function-errors'
  | 'throttles'
  | 'stream-behind'
  | 'dead-letters'
  | 'sync-not-running'
  | 'mails-come-back';

/**
 * Parts of the mails: SES puts an account under review at 5 % bounces and 0.1 % complaints, and stops it at 10 % and 0.5 %
 * (SES Developer Guide, "Understanding sender reputation").
 */
const mailFailures = { BounceRate: 0.05, ComplaintRate: 0.001 } as const;

const runbook = 'docs/runbook.md';

/** Alarms for every function, every dead-letter queue and the sync of every venue, sent to the operator. */
export class Monitoring extends Construct {
  readonly #topic: Topic;

  constructor(
    scope: Construct,
    id: string,
    {
      functions,
      queues,
      mail,
      settings: { stage, venues, operatorMail },
    }: {
      readonly functions: readonly DeployedFunction[];
      readonly queues: Queues;
      readonly mail: MailSender;
      readonly settings: Settings;
    },
  ) {
    super(scope, id);
    this.#topic = this.#createTopic(operatorMail);
    for (const { entry, lambda } of functions) {
      this.#alarm(`${entry.name}-errors`, {
        metric: lambda.metricErrors({ period }),
        description: `${entry.name} failed; see its log group`,
        section: 'function-errors',
      });
      this.#alarm(`${entry.name}-throttles`, {
        metric: lambda.metricThrottles({ period }),
        description: `${entry.name} was throttled: the account's concurrent executions are used up`,
        section: 'throttles',
      });
      if (entry.trigger.type === 'schedule' && entry.trigger.each === 'venue')
        this.#watchSyncs({ entry, lambda }, stage, venues);
      if (entry.trigger.type !== 'stream') continue;
      this.#alarm(`${entry.name}-iterator-age`, {
        metric: lambda.metric('IteratorAge', { period, statistic: Stats.MAXIMUM }),
        aboveThreshold: iteratorAgeMaxMs,
        description: `${entry.name} is more than ${iteratorAgeMaxMs / 1000} s behind the table's changes`,
        section: 'stream-behind',
      });
    }
    this.#watchMails(mail);
    for (const [name, queue] of queues.deadLetters) {
      this.#alarm(`${name}-depth`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
        description: `${name} holds what failed for good; it is kept for 14 days`,
        section: 'dead-letters',
      });
    }
  }

  #watchMails(mail: MailSender): void {
    for (const [name, aboveThreshold] of Object.entries(mailFailures)) {
      this.#alarm(`mail-${name}`, {
        metric: new Metric({
          namespace: 'AWS/SES',
          metricName: `Reputation.${name}`,
          dimensionsMap: { 'ses:configuration-set': mail.configurationSetName },
          period,
          statistic: Stats.MAXIMUM,
        }),
        aboveThreshold,
        description: `More than ${aboveThreshold * 100} % of the mails bounce or are complained about: SES may stop sending`,
        section: 'mails-come-back',
      });
    }
  }

  /** Counts the sync's log lines about venues that answered: a disabled schedule and a failing venue raise the same alarm. */
  #watchSyncs({ entry, lambda }: DeployedFunction, stage: Settings['stage'], venues: Settings['venues']): void {
    const [metricNamespace, metricName] = [metricsNamespace(stage), `${entry.name}-successes`];
    new MetricFilter(this, metricName, {
      logGroup: lambda.logGroup,
      filterPattern: FilterPattern.stringValue('$.message', '=', VENUE_IN_SYNC),
      metricNamespace,
      metricName,
      dimensions: { venue: '$.venue' },
    });
    for (const venue of venues) {
      this.#alarm(`${entry.name}-${venue}-stopped`, {
        metric: new Metric({
          namespace: metricNamespace,
          metricName,
          dimensionsMap: { venue },
          period,
          statistic: Stats.SAMPLE_COUNT,
        }),
        description: `${entry.name} had no answer of ${venue} for ${period.toMinutes()} minutes: its prices are stale`,
        section: 'sync-not-running',
        when: 'missing',
      });
    }
  }

  #alarm(
    id: string,
    {
      metric,
      description,
      section,
      aboveThreshold = 0,
      when = 'above',
    }: {
      readonly metric: IMetric;
      readonly description: string;
      readonly section: RunbookSection;
      readonly aboveThreshold?: number;
      readonly when?: 'above' | 'missing';
    },
  ): void {
    const alarm = new Alarm(this, id, {
      metric,
      alarmDescription: `${description}. See ${runbook}#${section}`,
      evaluationPeriods: 1,
      ...(when === 'missing'
        ? {
            threshold: 1,
            comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
            treatMissingData: TreatMissingData.BREACHING,
          }
        : {
            threshold: aboveThreshold,
            comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
            treatMissingData: TreatMissingData.NOT_BREACHING,
          }),
    });
    const notifyOperator = new SnsAction(this.#topic);
    alarm.addAlarmAction(notifyOperator);
    alarm.addOkAction(notifyOperator);
  }

  #createTopic(operatorMail: string | undefined): Topic {
    const topic = new Topic(this, 'Alarms', { displayName: 'AlphaPulse alarms', enforceSSL: true });
    // The policy that enforces TLS replaces the default one, by which the account's alarms may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (operatorMail !== undefined) topic.addSubscription(new EmailSubscription(operatorMail));
    return topic;
  }
}
