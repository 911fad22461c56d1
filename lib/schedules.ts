import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { DeployedFunction } from './deployed-function.ts';
import type { Queues } from './queues.ts';

const deliveryRetries = 2;
/** How long Lambda keeps an event at most. */
const eventAgeMax = Duration.hours(6);

/** Runs the scheduled functions, once or once per venue. A run that fails is not made again: the next one is due. */
export class Schedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    {
      functions,
      queues,
      venues,
    }: {
      readonly functions: readonly DeployedFunction[];
      readonly queues: Queues;
      readonly venues: readonly string[];
    },
  ) {
    super(scope, id);
    for (const { entry, lambda } of functions) {
      if (entry.trigger.type !== 'schedule') continue;
      const period = Duration.minutes(entry.trigger.everyMinutes);
      const deadLetters = queues.get('schedules-dead');
      lambda.configureAsyncInvoke({
        retryAttempts: 0,
        maxEventAge: period.toSeconds() < eventAgeMax.toSeconds() ? period : eventAgeMax,
        onFailure: { bind: () => ({ destination: deadLetters.queueArn }) },
      });
      const role = new Role(this, `${entry.name}-role`, {
        assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
        inlinePolicies: {
          Invoke: new PolicyDocument({
            statements: [
              new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] }),
              new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
            ],
          }),
        },
      });
      const runs =
        entry.trigger.each === 'venue'
          ? venues.map((venue) => ({ id: `${entry.name}-${venue}`, purpose: ` for ${venue}`, input: { venue } }))
          : [{ id: entry.name, purpose: '', input: {} }];
      for (const { id, purpose, input } of runs) {
        new Schedule(this, id, {
          description: `Runs ${entry.name}${purpose}`,
          schedule: ScheduleExpression.rate(period),
          timeWindow: TimeWindow.off(),
          target: {
            bind: () => ({
              arn: lambda.functionArn,
              role,
              input: ScheduleTargetInput.fromObject(input),
              retryPolicy: {
                maximumRetryAttempts: deliveryRetries,
                maximumEventAgeInSeconds: period.toSeconds(),
              },
              deadLetterConfig: { arn: deadLetters.queueArn },
            }),
          },
        });
      }
    }
  }
}
