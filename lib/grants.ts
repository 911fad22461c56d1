import { AUDIT_KEYS } from '#shared/audit/stored';
import { LIMIT_KEYS } from '#shared/limits/rate-limiter';
import type { FunctionEntry, SecretFamily, SecretName } from '../functions/manifest.ts';
import { type DeployedQueue, deadLettersOf } from './queue-names.ts';

/** What a role may reach, by name; the stack knows the ARNs. */
export type ResourceName =
  | 'table'
  | 'table-index:gsi1'
  | 'table-index:gsi2'
  | 'table-stream'
  | `queue:${DeployedQueue}`
  | `secret:${SecretName}`
  /** Every secret whose name begins with the family's and a slash. */
  | `secret-family:${SecretFamily}`
  | 'mail-identities'
  | 'mail-configuration-set'
  | 'socket-connections'
  | 'log-group'
  /** X-Ray has no resources to name: its traces can only be sent to `*`. */
  | 'traces';

/** A resource that functions share; the others belong to one function. */
export type SharedResource = Exclude<ResourceName, 'log-group' | 'traces'>;

/** Actions that are allowed on resources, or denied whatever else allows them. */
export interface Grant {
  readonly effect?: 'deny';
  readonly actions: readonly string[];
  readonly on: readonly ResourceName[];
  /** Restricts the table to items whose partition key has one of these prefixes. */
  readonly keysFrom?: readonly string[];
  /** Restricts mails to those from the deployment's sender. */
  readonly onlyFromSender?: true;
}

const writes = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'];
const indexes = ['table-index:gsi1', 'table-index:gsi2'] as const;

/** Every permission of a function's role: what its manifest entry grants, what its trigger needs, logs and traces. */
export const grantsOf = (entry: Pick<FunctionEntry, 'grants' | 'trigger'>): readonly Grant[] => {
  const grants: readonly Grant[] = [
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], on: ['log-group'] },
    { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], on: ['traces'] },
    ...tableGrants(entry.grants.table),
    {
      // Every API function counts its requests.
      actions: ['dynamodb:UpdateItem'],
      on: entry.trigger.type === 'http' && entry.grants.table === 'read' ? ['table'] : [],
      keysFrom: [LIMIT_KEYS],
    },
    ...(entry.grants.writeKeys ?? []).map(
      (keys): Grant => ({ actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'], on: ['table'], keysFrom: [keys] }),
    ),
    // One statement: a batch may name keys of several prefixes.
    { actions: writes, on: entry.grants.ownKeys ? ['table'] : [], keysFrom: entry.grants.ownKeys ?? [] },
    ...auditGrants(entry.grants),
    { actions: ['sqs:SendMessage'], on: queues([...(entry.grants.send ?? []), ...deadLettersOf(entry)]) },
    {
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
      on: queues([...(entry.grants.receive ?? []), ...(entry.trigger.type === 'queue' ? [entry.trigger.queue] : [])]),
    },
    { actions: ['sqs:GetQueueAttributes'], on: queues(entry.grants.watch ?? []) },
    {
      actions: ['secretsmanager:GetSecretValue'],
      on: (entry.grants.secrets ?? []).map((name) => `secret:${name}` as const),
    },
    {
      actions: ['secretsmanager:PutSecretValue'],
      on: (entry.grants.writeSecrets ?? []).map((name) => `secret:${name}` as const),
    },
    ...familyGrants(entry.grants.secretFamilies),
    {
      actions: ['ses:SendEmail'],
      on: entry.grants.mail ? ['mail-identities', 'mail-configuration-set'] : [],
      onlyFromSender: true,
    },
    { actions: ['execute-api:ManageConnections'], on: entry.grants.push ? ['socket-connections'] : [] },
    {
      actions: [
        'dynamodb:DescribeStream',
        'dynamodb:GetRecords',
        'dynamodb:GetShardIterator',
        // Lambda checks for this one when it creates the mapping, although the stream is named.
        'dynamodb:ListStreams',
      ],
      on: entry.trigger.type === 'stream' ? ['table-stream'] : [],
    },
  ];
  return grants.filter(({ on }) => on.length > 0);
};

const tableGrants = (access: FunctionEntry['grants']['table']): readonly Grant[] => {
  if (access === undefined) return [];
  // A transaction needs the actions of its writes and, for its checks, ConditionCheckItem.
  const reads = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem'];
  return [
    { actions: access === 'read' ? reads : [...reads, ...writes], on: ['table'] },
    { actions: ['dynamodb:Query'], on: indexes },
  ];
};

/**
 * Nobody changes or deletes what is in the audit log: its items are only put, under conditions. That a put meets its
 * condition is the work of the code; IAM knows no conditions of items.
 */
const auditGrants = ({ table, writeKeys = [] }: FunctionEntry['grants']): readonly Grant[] => {
  const on: readonly ResourceName[] = table === 'read-write' || writeKeys.includes(AUDIT_KEYS) ? ['table'] : [];
  const keysFrom = [AUDIT_KEYS];
  return [
    { effect: 'deny', actions: ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'], on, keysFrom },
    { effect: 'deny', actions: ['dynamodb:BatchWriteItem'], on, keysFrom },
  ];
};

const familyGrants = (families: FunctionEntry['grants']['secretFamilies'] = {}): readonly Grant[] =>
  Object.entries(families).map(([family, access]) => ({
    actions: [
      'secretsmanager:GetSecretValue',
      ...(access === 'read' ? [] : ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue']),
    ],
    on: [`secret-family:${family as SecretFamily}`],
  }));

const queues = (names: readonly DeployedQueue[]) => [...new Set(names)].map((name) => `queue:${name}` as const);
