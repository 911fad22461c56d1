import { describe, expect, it } from 'vitest';
import { functions } from '../../../functions/manifest.ts';
import { grantsOf } from '../../../lib/grants.ts';
import {
  dev,
  everything,
  type Json,
  lambdaOf,
  listOf,
  ofType,
  prod,
  prodSettings,
  propertiesOf,
  queueId,
  type Resource,
  stateful,
  stateless,
  statementsOf,
  synthesize,
  tableId,
  textOf,
} from './templates.ts';

const secretIds = new Map(
  ofType('AWS::SecretsManager::Secret', stateful).map(([id, { Properties }]) => [id, Properties.Name.split('/')[1]]),
);
const queueNames = new Map(
  functions
    .flatMap(({ trigger, grants }) => [
      ...(grants.send ?? []),
      ...(grants.receive ?? []),
      ...(grants.watch ?? []),
      ...(trigger.type === 'stream' ? [trigger.deadLetters] : []),
      'schedules-dead',
    ])
    .map((name) => [`${queueId(name)}.Arn`, `queue:${name}`]),
);

/** What a role's resource is called in `lib/grants.ts`; its ARN when it is none of these. */
const nameOfResource = (arn: string, logGroupId: string): string => {
  const [socketsId = ''] = ofType('AWS::ApiGatewayV2::Api').flatMap(([id, { Properties }]) =>
    Properties.ProtocolType === 'WEBSOCKET' ? [id] : [],
  );
  const names: Readonly<Record<string, string>> = {
    '*': 'traces',
    [`${logGroupId}.Arn`]: 'log-group',
    [`${tableId}.Arn`]: 'table',
    [`${tableId}.Arn/index/gsi1`]: 'table-index:gsi1',
    [`${tableId}.Arn/index/gsi2`]: 'table-index:gsi2',
    [`${tableId}.StreamArn`]: 'table-stream',
    [`arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:${socketsId}/ws/*/@connections/*`]:
      'socket-connections',
    ...Object.fromEntries([...secretIds].map(([id, name]) => [id, `secret:${name}`])),
    'arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:alphapulse-dev-state/exchange-credentials/*':
      'secret-family:exchange-credentials',
    ...Object.fromEntries(queueNames),
    'arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/*': 'mail-identities',
    ...Object.fromEntries(
      ofType('AWS::SES::ConfigurationSet').map(([id]) => [
        `arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/${id}`,
        'mail-configuration-set',
      ]),
    ),
  };
  return names[arn] ?? arn;
};

describe('the table', () => {
  const table = stateful[tableId];

  it('stays when its stack is deleted or it is replaced', () => {
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('is encrypted, and the template says so', () => {
    expect(table?.Properties.SSESpecification).toEqual({ SSEEnabled: true });
  });

  it('can be restored to any second of the last weeks', () => {
    expect(table?.Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
  });

  it('forgets items after expiresAt', () => {
    expect(table?.Properties.TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
  });

  it('tells changes with the old and the new item', () => {
    expect(table?.Properties.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
  });

  it('has the two indexes with whole items', () => {
    expect(
      table?.Properties.GlobalSecondaryIndexes.map((index: Json) => [index.IndexName, index.Projection.ProjectionType]),
    ).toEqual([
      ['gsi1', 'ALL'],
      ['gsi2', 'ALL'],
    ]);
  });

  it('goes with its stack where a deployment said to delete data', () => {
    const { state, stateful: resources } = synthesize({ ...prodSettings, data: 'delete' });
    const policies = Object.values(resources).map(({ DeletionPolicy }) => DeletionPolicy);
    expect(policies.length).toBeGreaterThan(1);
    expect(new Set(policies)).toEqual(new Set(['Delete']));
    expect(propertiesOf('AWS::DynamoDB::Table', resources)[0]?.DeletionProtectionEnabled).toBe(false);
    expect(state.terminationProtection).toBe(false);
  });

  it('can not be deleted in production, nor can its stack', () => {
    const [tableInProd] = propertiesOf('AWS::DynamoDB::Table', prod.stateful);
    expect(tableInProd?.DeletionProtectionEnabled).toBe(true);
    expect(prod.state.terminationProtection).toBe(true);
    expect(dev.state.terminationProtection).toBe(false);
  });
});

describe('secrets', () => {
  it('are made for every name that the manifest grants', () => {
    const granted = new Set(functions.flatMap(({ grants }) => grants.secrets ?? []));
    expect(new Set(secretIds.values())).toEqual(granted);
  });

  it('are random, 64 characters, and stay when their stack is deleted', () => {
    for (const [, secret] of ofType('AWS::SecretsManager::Secret', stateful)) {
      expect(secret).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: { GenerateSecretString: { PasswordLength: 64 } },
      });
    }
  });

  it('reach no function through its environment', () => {
    const environments = JSON.stringify(
      propertiesOf('AWS::Lambda::Function').map(({ Environment }) =>
        Object.values(Environment.Variables).map((value) => textOf(value as Json)),
      ),
    );
    for (const id of secretIds.keys()) expect(environments).not.toContain(id);
    expect(environments).not.toContain('{{resolve:');
  });
});

describe.each(functions.map((entry) => [entry.name, entry] as const))('the function %s', (name, entry) => {
  const { properties } = lambdaOf(name);
  const logGroupId = textOf(properties.LoggingConfig.LogGroup);
  const role = everything[properties.Role['Fn::GetAtt'][0]]?.Properties ?? {};

  it('may do exactly what its manifest entry grants', () => {
    const only = (keys: readonly string[] | undefined) =>
      keys === undefined ? '' : ` where keys begin with ${keys.join(' or ')}`;
    const granted = grantsOf(entry).flatMap(({ effect, actions, on, keysFrom }) =>
      on.flatMap((resource) =>
        actions.map((action) => `${effect === 'deny' ? 'Deny ' : ''}${action} on ${resource}${only(keysFrom)}`),
      ),
    );
    const allowed = statementsOf(role).flatMap(({ Action, Resource, Effect, Condition }) =>
      listOf<string>(Action).flatMap((action) =>
        listOf<Json | string>(Resource).map((arn) => {
          const resource = nameOfResource(textOf(arn), logGroupId);
          const matched = Condition?.['ForAllValues:StringLike'] ?? Condition?.['ForAnyValue:StringLike'];
          const keys: string[] | undefined = matched?.['dynamodb:LeadingKeys'];
          const prefixes = keys?.map((key) => key.replace(/\*$/, ''));
          return `${Effect === 'Allow' ? '' : `${Effect} `}${action} on ${resource}${only(prefixes)}`;
        }),
      ),
    );
    expect([...new Set(allowed)].toSorted()).toEqual([...new Set(granted)].toSorted());
  });

  it('has its role to itself, and nothing is attached to it from elsewhere', () => {
    expect(role.ManagedPolicyArns).toBeUndefined();
    expect(ofType('AWS::IAM::Policy')).toEqual([]);
    const sharing = propertiesOf('AWS::Lambda::Function').filter(
      ({ Role }) => textOf(Role) === textOf(properties.Role),
    );
    expect(sharing).toHaveLength(1);
  });

  it('runs Node 24 on ARM, as large and as long as the manifest says', () => {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: entry.memoryMb,
      Timeout: entry.timeoutSeconds,
    });
  });

  it('logs JSON to its own log group and is traced', () => {
    expect(properties.LoggingConfig.LogFormat).toBe('JSON');
    expect(stateless[logGroupId]?.Type).toBe('AWS::Logs::LogGroup');
    expect(properties.TracingConfig).toEqual({ Mode: 'Active' });
  });

  it.each(['Errors', 'Throttles'])('has an alarm on %s that the operator gets', (metric) => {
    const [topicId] = ofType('AWS::SNS::Topic')[0] ?? [];
    const alarms = propertiesOf('AWS::CloudWatch::Alarm').filter(
      ({ MetricName, Dimensions }) =>
        MetricName === metric && Dimensions.some(({ Value }: Json) => textOf(Value) === lambdaOf(name).id),
    );
    expect(alarms.map(({ AlarmActions }) => AlarmActions.map(textOf))).toEqual([[topicId]]);
  });
});

describe('the hash of the bootstrap code', () => {
  it('is known to the function that registers users, and to no other', () => {
    const bootstrapCodeHash = 'a'.repeat(64);
    const { stateless: resources } = synthesize({ ...prodSettings, bootstrapCodeHash });
    const knowing = propertiesOf('AWS::Lambda::Function', resources).filter(({ Environment }) =>
      JSON.stringify(Environment).includes(bootstrapCodeHash),
    );
    expect(knowing.map(({ Description }) => Description)).toEqual([expect.stringMatching(/^users-api /)]);
  });
});

describe('mails', () => {
  const { properties } = lambdaOf('deliver');
  const role = everything[properties.Role['Fn::GetAtt'][0]]?.Properties ?? {};

  it('come from the sender of the deployment, to any recipient', () => {
    const sending = statementsOf(role).filter(({ Action }) => listOf(Action).includes('ses:SendEmail'));
    expect(sending.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { 'ses:FromAddress': 'alphapulse@example.com' } },
    ]);
  });

  it('use an identity that SES knows already where a deployment says so', () => {
    const { stateless: resources } = synthesize({ ...prodSettings, mailIdentity: 'import' });
    expect(ofType('AWS::SES::EmailIdentity', resources)).toEqual([]);
    expect(ofType('AWS::SES::EmailIdentity')).toHaveLength(1);
  });
});

describe('a denial', () => {
  const denials = Object.values(everything)
    .filter(({ Type }) => Type === 'AWS::IAM::Role')
    .flatMap(({ Properties }) => statementsOf(Properties))
    .filter(({ Effect }) => Effect === 'Deny');

  it('needs a key to be of the audit log, so that it holds up no transaction whose keys IAM is not told', () => {
    const audit = { 'dynamodb:LeadingKeys': ['AUDIT#*'] };
    const [single, batch] = [
      { 'ForAllValues:StringLike': audit, Null: { 'dynamodb:LeadingKeys': 'false' } },
      { 'ForAnyValue:StringLike': audit },
    ];
    expect(denials.length).toBeGreaterThan(0);
    for (const { Action, Condition } of denials) {
      expect(Condition).toEqual(listOf(Action).includes('dynamodb:BatchWriteItem') ? batch : single);
    }
  });
});

describe('permissions', () => {
  const statements = Object.values(everything).flatMap(({ Properties }) => [
    ...statementsOf(Properties),
    ...(Properties?.PolicyDocument?.Statement ?? []),
  ]);
  const allowing: Json[] = statements.filter(({ Effect }) => Effect === 'Allow');

  it('name every action in full', () => {
    expect(allowing.flatMap(({ Action }) => listOf<string>(Action)).filter((action) => action.includes('*'))).toEqual(
      [],
    );
  });

  it('are for all resources only where the service knows none', () => {
    const actions = allowing
      .filter(({ Resource }) => listOf(Resource).includes('*'))
      .flatMap(({ Action }) => listOf<string>(Action));
    expect(new Set(actions)).toEqual(new Set(['xray:PutTraceSegments', 'xray:PutTelemetryRecords']));
  });
});

const isAccessLog = (name: string): boolean => name.startsWith('/aws/vendedlogs/');

describe('resources', () => {
  it('have generated names, except secrets, which functions find by their prefix, and logs of accesses', () => {
    const nameProperties = [
      'TableName',
      'FunctionName',
      'QueueName',
      'RoleName',
      'TopicName',
      'LogGroupName',
      'AlarmName',
      'Name',
    ];
    // For these `Name` is a title, or the only way to say what they are.
    const titled = ['AWS::ApiGatewayV2::Api', 'AWS::ApiGatewayV2::Authorizer', 'AWS::SecretsManager::Secret'];
    const named = Object.entries(everything).flatMap(([id, { Type, Properties }]) =>
      titled.includes(Type)
        ? []
        : nameProperties
            .filter((name) => typeof Properties?.[name] === 'string' && !isAccessLog(Properties[name]))
            .map((name) => `${id}.${name}`),
    );
    expect(named).toEqual([]);
  });

  it('write accesses where no account-wide policy grows with them', () => {
    const logs = propertiesOf('AWS::ApiGatewayV2::Stage').map(
      ({ AccessLogSettings }) => stateless[textOf(AccessLogSettings.DestinationArn).split('.')[0] ?? '']?.Properties,
    );
    expect(logs.map((log) => log?.LogGroupName)).toEqual([
      expect.stringMatching(/^\/aws\/vendedlogs\/.*alphapulse-dev\/sockets$/),
      expect.stringMatching(/^\/aws\/vendedlogs\/.*alphapulse-dev\/http$/),
    ]);
  });

  it('keep their logs for a month, in production for three', () => {
    const retentions = (resources: Record<string, Resource>) =>
      new Set(propertiesOf('AWS::Logs::LogGroup', resources).map(({ RetentionInDays }) => RetentionInDays));
    expect(retentions(stateless)).toEqual(new Set([30]));
    expect(retentions(prod.stateless)).toEqual(new Set([90]));
  });
});
