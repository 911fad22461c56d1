import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { DeployedFunction } from './manifest-function.ts';
import type { Queues } from './queues.ts';

const period = Duration.minutes(5);
/** A consumer of the stream that is this far behind holds up alerts and live feeds. */
const iteratorAgeMaxMs = 60_000;

/** Alarms for every function and every dead letter, told to the operator. */
export class Monitoring extends Construct {
  readonly #topic: Topic;

  constructor(
    scope: Construct,
    id: string,
    {
      functions,
      queues,
      operatorMail,
    }: {
      readonly functions: readonly DeployedFunction[];
      readonly queues: Queues;
      readonly operatorMail: string | undefined;
    },
  ) {
    super(scope, id);
    this.#topic = this.#createTopic(operatorMail);
    for (const { entry, lambda } of functions) {
      this.#alarm(`${entry.name}-errors`, {
        metric: lambda.metricErrors({ period }),
        description: `${entry.name} failed; its log group tells why`,
      });
      this.#alarm(`${entry.name}-throttles`, {
        metric: lambda.metricThrottles({ period }),
        description: `${entry.name} was throttled: the account's concurrent executions are used up`,
      });
      if (entry.trigger.type !== 'stream') continue;
      this.#alarm(`${entry.name}-iterator-age`, {
        metric: lambda.metric('IteratorAge', { period, statistic: Stats.MAXIMUM }),
        aboveThreshold: iteratorAgeMaxMs,
        description: `${entry.name} is more than ${iteratorAgeMaxMs / 1000} s behind the table's changes`,
      });
    }
    for (const [name, queue] of queues.deadLetters) {
      this.#alarm(`${name}-depth`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
        description: `${name} holds what failed for good; it is kept for 14 days`,
      });
    }
  }

  #alarm(
    id: string,
    {
      metric,
      description,
      aboveThreshold = 0,
    }: {
      readonly metric: IMetric;
      readonly description: string;
      readonly aboveThreshold?: number;
    },
  ): void {
    const alarm = new Alarm(this, id, {
      metric,
      alarmDescription: description,
      threshold: aboveThreshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
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
