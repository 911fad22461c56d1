import { Duration } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { SecretFamily } from '../functions/manifest.ts';
import type { DeployedFunction, NamedEntry } from './deployed-function.ts';
import { type Grant, grantsOf, type ResourceName, type SharedResource } from './grants.ts';
import { logGroup } from './log-group.ts';
import { acceptWildcard } from './nag-findings.ts';
import type { Settings } from './settings.ts';

export interface ManifestFunctionProps {
  readonly entry: NamedEntry;
  /** A folder with `index.mjs`. */
  readonly code: Code;
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string>>;
  readonly arnOf: (resource: SharedResource) => string;
}

/** One entry of the manifest as a Lambda function, with its log group and a role that holds exactly its grants. */
export class ManifestFunction extends Construct implements DeployedFunction {
  readonly entry: NamedEntry;
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, { entry, code, settings, environment, arnOf }: ManifestFunctionProps) {
    super(scope, id);
    this.entry = entry;
    const logs = logGroup(this, 'Logs', settings.stage);
    const arn = (resource: ResourceName): string => {
      if (resource === 'log-group') return logs.logGroupArn;
      if (resource === 'traces') return '*';
      return arnOf(resource);
    };
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Grants: new PolicyDocument({
          statements: grantsOf(entry).map(
            (grant) =>
              new PolicyStatement({
                effect: grant.effect === 'deny' ? Effect.DENY : Effect.ALLOW,
                actions: [...grant.actions],
                resources: grant.on.map(arn),
                conditions: conditionsOf(grant, settings),
              }),
          ),
        }),
      },
    });
    acceptWildcard(role, '*', 'X-Ray has no resources: traces can only be sent to all.');
    if (entry.grants.mail) {
      acceptWildcard(
        role,
        arnOf('mail-identities'),
        "In the SES sandbox the recipient's identity is checked as well; the sender's address is a condition.",
      );
    }
    if (entry.grants.push) {
      acceptWildcard(role, arnOf('socket-connections'), 'Connections come and go; the API and the stage are named.');
    }
    for (const family of Object.keys(entry.grants.secretFamilies ?? {})) {
      acceptWildcard(
        role,
        arnOf(`secret-family:${family as SecretFamily}`),
        'The secrets of a family are made and found by number; the family is named.',
      );
    }
    this.lambda = new LambdaFunction(this, 'Function', {
      description: `${id} (functions/${entry.file}.ts)`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code,
      memorySize: entry.memoryMb,
      timeout: Duration.seconds(entry.timeoutSeconds),
      // No construct may widen the role: it holds the grants and nothing else.
      role: role.withoutPolicyUpdates(),
      logGroup: logs,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...(enqueuesForItself(entry) && { recursiveLoop: RecursiveLoop.ALLOW }),
      environment,
    });
  }
}

/**
 * Whether the function sends to the queue that it consumes: Lambda would stop it after 16 messages that follow from each
 * other, whatever the time between them. Such a function has to bound its chains itself.
 */
const enqueuesForItself = ({ trigger, grants }: NamedEntry): boolean =>
  trigger.type === 'queue' && grants.send?.includes(trigger.queue) === true;

const conditionsOf = (
  { effect, actions, keysFrom, onlyFromSender }: Grant,
  { mailFrom }: Settings,
): Record<string, object> => {
  if (onlyFromSender) return { StringEquals: { 'ses:FromAddress': mailFrom } };
  if (keysFrom === undefined) return {};
  const keys = { 'dynamodb:LeadingKeys': keysFrom.map((prefix) => `${prefix}*`) };
  if (effect !== 'deny') return { 'ForAllValues:StringLike': keys };
  if (actions.includes('dynamodb:BatchWriteItem')) return { 'ForAnyValue:StringLike': keys };
  // AWS does not document which keys the context of a transaction holds. Should it hold all, a change of another item beside its
  // audit entry must stay possible; should it hold none, `ForAllValues` would hold without the second condition.
  return { 'ForAllValues:StringLike': keys, Null: { 'dynamodb:LeadingKeys': 'false' } };
};
