import { describe, expect, it } from 'vitest';
import type { FunctionEntry } from '../../../functions/manifest.ts';
import { grantsOf, type ResourceName } from '../../../lib/grants.ts';

const idle: FunctionEntry['trigger'] = { type: 'authorizer' };

const actionsOn = (
  resource: ResourceName,
  grants: FunctionEntry['grants'],
  trigger: FunctionEntry['trigger'] = idle,
): string[] =>
  grantsOf({ grants, trigger })
    .flatMap(({ actions, on, effect }) => (on.includes(resource) && effect === undefined ? actions : []))
    .toSorted();

describe('grants of a function', () => {
  it('are logs and traces for one that is granted nothing', () => {
    expect(grantsOf({ grants: {}, trigger: idle })).toEqual([
      { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], on: ['log-group'] },
      { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], on: ['traces'] },
    ]);
  });

  it('let a reader of the table read and not write', () => {
    expect(actionsOn('table', { table: 'read' })).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
    ]);
  });

  it('let a reader of the table that serves requests count them, and write nothing else', () => {
    const trigger = { type: 'http', routes: [] } as const;
    const written = grantsOf({ grants: { table: 'read' }, trigger }).filter(({ actions }) =>
      actions.includes('dynamodb:UpdateItem'),
    );
    expect(written).toEqual([{ actions: ['dynamodb:UpdateItem'], on: ['table'], keysFrom: ['LIMIT#'] }]);
  });

  it('let a reader of the table write items of the keys that are granted, and nothing else', () => {
    const written = grantsOf({ grants: { table: 'read', writeKeys: ['NOTE#'] }, trigger: idle }).filter(({ actions }) =>
      actions.includes('dynamodb:PutItem'),
    );
    expect(written).toEqual([
      { actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'], on: ['table'], keysFrom: ['NOTE#'] },
    ]);
  });

  it('let an owner of keys delete items with them as well, and batch over all of them', () => {
    const written = grantsOf({ grants: { table: 'read', ownKeys: ['A#', 'B#'] }, trigger: idle }).filter(
      ({ actions }) => actions.includes('dynamodb:DeleteItem'),
    );
    expect(written).toEqual([
      {
        actions: ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map((action) => `dynamodb:${action}`),
        on: ['table'],
        keysFrom: ['A#', 'B#'],
      },
    ]);
  });

  it.each<[string, FunctionEntry['grants']]>([
    ['a writer of the table', { table: 'read-write' }],
    ['a writer of audit entries', { table: 'read', writeKeys: ['AUDIT#'] }],
  ])('let %s neither change nor delete what is in the audit log', (_, grants) => {
    const denied = grantsOf({ grants, trigger: idle }).filter(({ effect }) => effect === 'deny');
    expect(denied.map(({ on, keysFrom }) => [on, keysFrom])).toEqual([
      [['table'], ['AUDIT#']],
      [['table'], ['AUDIT#']],
    ]);
    expect(denied.flatMap(({ actions }) => actions)).toEqual(
      ['UpdateItem', 'DeleteItem', 'BatchWriteItem'].map((action) => `dynamodb:${action}`),
    );
  });

  it('let a writer of the table neither scan it nor change its settings', () => {
    expect(actionsOn('table', { table: 'read-write' })).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
    ]);
  });

  it('let a sender send to its queue alone', () => {
    expect(actionsOn('queue:deliveries', { send: ['deliveries'] })).toEqual(['sqs:SendMessage']);
    expect(actionsOn('queue:deliveries-dead', { send: ['deliveries'] })).toEqual([]);
  });

  it('let a watcher see the depth and no message', () => {
    expect(actionsOn('queue:deliveries', { watch: ['deliveries'] })).toEqual(['sqs:GetQueueAttributes']);
  });

  it('let a consumer of a queue take its messages', () => {
    const trigger = { type: 'queue', queue: 'deliveries', batchSize: 1, maxReceives: 1, maxConcurrency: 2 } as const;
    expect(actionsOn('queue:deliveries', {}, trigger)).toEqual([
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ]);
  });

  it('open the secrets that are named and no others', () => {
    const grants = { secrets: ['webhook-signing'] } as const;
    expect(actionsOn('secret:webhook-signing', grants)).toEqual(['secretsmanager:GetSecretValue']);
    expect(actionsOn('secret:token-signing', grants)).toEqual([]);
  });

  it('let only who is named so change a secret', () => {
    const grants = { secrets: ['token-signing', 'webhook-signing'], writeSecrets: ['token-signing'] } as const;
    expect(actionsOn('secret:webhook-signing', grants)).toEqual(['secretsmanager:GetSecretValue']);
    expect(actionsOn('secret:token-signing', grants)).toEqual([
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
    ]);
  });

  it('let a reader of a family of secrets open them and not write', () => {
    expect(
      actionsOn('secret-family:exchange-credentials', { secretFamilies: { 'exchange-credentials': 'read' } }),
    ).toEqual(['secretsmanager:GetSecretValue']);
  });

  it('let a writer of a family of secrets make and change them', () => {
    expect(
      actionsOn('secret-family:exchange-credentials', { secretFamilies: { 'exchange-credentials': 'read-write' } }),
    ).toEqual(['secretsmanager:CreateSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue']);
  });

  it('let a consumer of the stream put what failed for good into its dead letters', () => {
    const trigger = { type: 'stream', kinds: [], batchSize: 1, maxAttempts: 1, deadLetters: 'push-dead' } as const;
    expect(actionsOn('queue:push-dead', {}, trigger)).toEqual(['sqs:SendMessage']);
  });

  it('hold no wildcard', () => {
    const grants: FunctionEntry['grants'] = {
      table: 'read-write',
      send: ['deliveries'],
      receive: ['deliveries'],
      watch: ['deliveries'],
      secrets: ['token-signing'],
      mail: true,
      push: true,
    };
    expect(grantsOf({ grants, trigger: idle }).flatMap(({ actions }) => actions)).not.toContainEqual(
      expect.stringContaining('*'),
    );
  });
});
