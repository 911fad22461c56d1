import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/**
 * A log group that forgets in time; every log of the system goes to one of these.
 * @param logGroupName generated unless it is given
 */
export const logGroup = (scope: Construct, id: string, stage: Settings['stage'], logGroupName?: string): LogGroup =>
  new LogGroup(scope, id, {
    ...(logGroupName !== undefined && { logGroupName }),
    retention: stage === 'prod' ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });

/**
 * The log group for the accesses of an API. API Gateway adds each group that is not under `/aws/vendedlogs/` to one resource
 * policy of the account and region, whose size is limited.
 */
export const accessLogGroup = (scope: Construct, stage: Settings['stage'], api: 'http' | 'sockets'): LogGroup =>
  logGroup(scope, 'AccessLogs', stage, `/aws/vendedlogs/apigateway/alphapulse-${stage}/${api}`);
