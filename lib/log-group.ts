import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** A log group that forgets in time; every log of the system goes to one of these. */
export const logGroup = (scope: Construct, id: string, stage: Settings['stage']): LogGroup =>
  new LogGroup(scope, id, {
    retention: stage === 'prod' ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
