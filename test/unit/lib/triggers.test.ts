import { describe, expect, it } from 'vitest';
import { methodsOf, type Route } from '../../../functions/http/route.ts';
import { functions } from '../../../functions/manifest.ts';
import {
  type Json,
  lambdaOf,
  ofType,
  prod,
  propertiesOf,
  queueId,
  stateless,
  statementsOf,
  tableId,
  textOf,
} from './templates.ts';

/** What API Gateway calls the routes of a declaration. */
const keysOf = (route: Route): string[] => methodsOf(route).map((method) => `${method} ${route.path}`);

describe('the HTTP API', () => {
  const [[apiId = ''] = []] = ofType('AWS::ApiGatewayV2::Api').filter(
    ([, { Properties }]) => Properties.ProtocolType === 'HTTP',
  );
  const routes = new Map(
    propertiesOf('AWS::ApiGatewayV2::Route')
      .filter(({ ApiId }) => textOf(ApiId) === apiId)
      .map((route) => [route.RouteKey, route]),
  );
  const functionOf = (route: Json | undefined): string => {
    const integration = stateless[textOf(route?.Target ?? '').replace('integrations/', '')];
    return textOf(integration?.Properties.IntegrationUri ?? '');
  };
  const declared = functions.flatMap(({ name, trigger }) =>
    trigger.type === 'http' ? trigger.routes.map((route) => ({ name, route })) : [],
  );
  const [stage] = propertiesOf('AWS::ApiGatewayV2::Stage').filter(({ ApiId }) => textOf(ApiId) === apiId);

  it('has the declared routes and the one for all others, and no more', () => {
    expect([...routes.keys()].toSorted()).toEqual(
      [...declared.flatMap(({ route }) => keysOf(route)), '$default'].toSorted(),
    );
  });

  it.each(declared.flatMap(({ name, route }) => keysOf(route).map((key) => [key, name] as const)))(
    'hands %s to %s',
    (key, name) => {
      expect(functionOf(routes.get(key))).toContain(lambdaOf(name).id);
    },
  );

  it('hands what no route matches to the function that falls back', () => {
    const fallback = functions.find(({ trigger }) => trigger.type === 'http' && trigger.fallback);
    expect(functionOf(routes.get('$default'))).toContain(lambdaOf(fallback?.name ?? '').id);
  });

  it('checks the caller of every route but the public ones', () => {
    const unchecked = [...routes.values()].filter(({ AuthorizationType }) => AuthorizationType !== 'CUSTOM');
    const open = declared.filter(({ route }) => route.scope === 'public').flatMap(({ route }) => keysOf(route));
    expect(unchecked.map(({ RouteKey }) => RouteKey).toSorted()).toEqual([...open, '$default'].toSorted());
  });

  it('asks the authorizer about every request, and lets it answer yes or no', () => {
    expect(propertiesOf('AWS::ApiGatewayV2::Authorizer')).toMatchObject([
      {
        AuthorizerPayloadFormatVersion: '2.0',
        EnableSimpleResponses: true,
        AuthorizerResultTtlInSeconds: 0,
        IdentitySource: [],
      },
    ]);
  });

  it('throttles every declared route', () => {
    expect(Object.keys(stage?.RouteSettings).toSorted()).toEqual(
      declared.flatMap(({ route }) => keysOf(route)).toSorted(),
    );
  });

  it('leaves room to log in while a caller with many addresses tries', () => {
    const [login, alerts] = ['POST /api/user/login', 'POST /api/alerts/create'].map((key) => stage?.RouteSettings[key]);
    const perCaller = declared.find(({ route }) => route.path === '/api/user/login')?.route.throttle.requestsPerMinute;
    expect(login.ThrottlingRateLimit).toBeGreaterThanOrEqual(((perCaller ?? 0) * 1000) / 60);
    expect(alerts.ThrottlingRateLimit).toBeLessThan(login.ThrottlingRateLimit);
    const rates = Object.values<Json>(stage?.RouteSettings).map(({ ThrottlingRateLimit }) => ThrottlingRateLimit);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1000);
  });

  it('logs each access', () => {
    expect(stage?.AccessLogSettings.Format).toContain('$context.requestId');
  });

  it('answers the web app of the configured origins and no other', () => {
    const [api] = propertiesOf('AWS::ApiGatewayV2::Api', prod.stateless).filter(
      ({ ProtocolType }) => ProtocolType === 'HTTP',
    );
    expect(api?.CorsConfiguration.AllowOrigins).toEqual(['https://app.example.com']);
    expect(api?.CorsConfiguration.AllowCredentials).toBeUndefined();
    expect(api?.CorsConfiguration.ExposeHeaders).toEqual(expect.arrayContaining(['ratelimit', 'retry-after']));
  });
});

describe('queues', () => {
  it('are encrypted and refuse connections without TLS', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(queues.filter(([, { Properties }]) => Properties.SqsManagedSseEnabled !== true)).toEqual([]);
    const guarded = propertiesOf('AWS::SQS::QueuePolicy')
      .filter(({ PolicyDocument }) => JSON.stringify(PolicyDocument).includes('"aws:SecureTransport":"false"'))
      .flatMap(({ Queues }) => Queues.map(textOf));
    expect(guarded.toSorted()).toEqual(queues.map(([id]) => id).toSorted());
  });

  it.each(
    functions.flatMap(({ name, trigger, timeoutSeconds }) =>
      trigger.type === 'queue' ? [{ ...trigger, name, timeoutSeconds }] : [],
    ),
  )('$queue moves what fails too often to its dead letters', ({ queue, maxReceives, timeoutSeconds }) => {
    const properties = stateless[queueId(queue)]?.Properties;
    expect(textOf(properties?.RedrivePolicy.deadLetterTargetArn)).toBe(`${queueId(`${queue}-dead`)}.Arn`);
    expect(properties?.RedrivePolicy.maxReceiveCount).toBe(maxReceives);
    expect(properties?.VisibilityTimeout).toBe(6 * timeoutSeconds);
  });

  it('may be filled by their own consumer without Lambda taking it for a runaway loop, and by no other', () => {
    const looping = functions.filter(
      ({ trigger, grants }) => trigger.type === 'queue' && grants.send?.includes(trigger.queue),
    );
    expect(looping.map(({ name }) => name)).toEqual(['account-sync']);
    const allowed = ofType('AWS::Lambda::Function').filter(
      ([, { Properties }]) => Properties.RecursiveLoop === 'Allow',
    );
    expect(allowed.map(([id]) => id)).toEqual([lambdaOf('account-sync').id]);
  });

  const dead = ofType('AWS::SQS::Queue').filter(([, { Properties }]) => Properties.RedrivePolicy === undefined);

  it('keep dead letters for 14 days', () => {
    expect(new Set(dead.map(([, { Properties }]) => Properties.MessageRetentionPeriod))).toEqual(
      new Set([14 * 86_400]),
    );
  });

  it('raise an alarm when dead letters come', () => {
    const watched = propertiesOf('AWS::CloudWatch::Alarm')
      .filter(({ Namespace }) => Namespace === 'AWS/SQS')
      .map(({ Dimensions }) => textOf(Dimensions[0].Value).split('.')[0]);
    expect(watched.toSorted()).toEqual(dead.map(([id]) => id).toSorted());
  });
});

describe('event sources', () => {
  const mappings = propertiesOf('AWS::Lambda::EventSourceMapping');
  const streams = mappings.filter(({ StartingPosition }) => StartingPosition !== undefined);

  it('take answers about single messages and records', () => {
    expect(
      mappings.filter(({ FunctionResponseTypes }) => !FunctionResponseTypes?.includes('ReportBatchItemFailures')),
    ).toEqual([]);
  });

  it('are two for the stream: a third would throttle its shards', () => {
    expect(streams.map(({ EventSourceArn }) => textOf(EventSourceArn))).toEqual([
      `${tableId}.StreamArn`,
      `${tableId}.StreamArn`,
    ]);
  });

  it.each(functions.flatMap(({ name, trigger }) => (trigger.type === 'stream' ? [{ ...trigger, name }] : [])))(
    'of $name give up on a record that keeps failing, and keep it as a dead letter',
    ({ name, deadLetters, maxAttempts, kinds }) => {
      const mapping = streams.find(({ FunctionName }) => textOf(FunctionName) === lambdaOf(name).id);
      expect(mapping).toMatchObject({ BisectBatchOnFunctionError: true, MaximumRetryAttempts: maxAttempts - 1 });
      expect(textOf(mapping?.DestinationConfig.OnFailure.Destination)).toBe(`${queueId(deadLetters)}.Arn`);
      expect(JSON.parse(mapping?.FilterCriteria.Filters[0].Pattern)).toEqual({
        eventName: ['INSERT', 'MODIFY'],
        dynamodb: { NewImage: { kind: { S: kinds } } },
      });
    },
  );
});

describe('schedules', () => {
  const schedules = propertiesOf('AWS::Scheduler::Schedule');
  const scheduled = functions.flatMap(({ name, trigger }) =>
    trigger.type === 'schedule' ? [{ ...trigger, name }] : [],
  );

  it.each(scheduled)('run $name every $everyMinutes minutes, for each $each', ({ name, each, everyMinutes }) => {
    const own = schedules.filter(({ Target }) => textOf(Target.Arn) === `${lambdaOf(name).id}.Arn`);
    const inputs = each === 'venue' ? [{ venue: 'binance' }, { venue: 'kraken' }] : [{}];
    expect(own.map(({ Target, ScheduleExpression }) => [JSON.parse(Target.Input), ScheduleExpression])).toEqual(
      inputs.map((input) => [input, everyMinutes === 1 ? 'rate(1 minute)' : 'rate(1 day)']),
    );
  });

  it('keep a run for as long as Lambda allows at most', () => {
    for (const { MaximumEventAgeInSeconds } of propertiesOf('AWS::Lambda::EventInvokeConfig')) {
      expect(MaximumEventAgeInSeconds).toBeLessThanOrEqual(6 * 3600);
    }
  });

  it('keep runs that could not be started, and runs that failed', () => {
    const dead = `${queueId('schedules-dead')}.Arn`;
    expect(new Set(schedules.map(({ Target }) => textOf(Target.DeadLetterConfig.Arn)))).toEqual(new Set([dead]));
    expect(
      propertiesOf('AWS::Lambda::EventInvokeConfig').map(({ DestinationConfig }) =>
        textOf(DestinationConfig.OnFailure.Destination),
      ),
    ).toEqual(scheduled.map(() => dead));
  });

  it('may start their own function and nothing else', () => {
    for (const { Target } of schedules) {
      const role = stateless[Target.RoleArn['Fn::GetAtt'][0]]?.Properties ?? {};
      const allowed = statementsOf(role).map(({ Action, Resource }) => `${Action} ${textOf(Resource)}`);
      expect(allowed).toEqual([
        `lambda:InvokeFunction ${textOf(Target.Arn)}`,
        `sqs:SendMessage ${textOf(Target.DeadLetterConfig.Arn)}`,
      ]);
    }
  });
});

describe('the WebSocket API', () => {
  const sockets = functions.flatMap(({ name, trigger }) => (trigger.type === 'socket' ? [{ name, trigger }] : []));

  it.each(sockets)('hands what $name declares to it', ({ name, trigger }) => {
    const integrations = ofType('AWS::ApiGatewayV2::Integration').filter(([, { Properties }]) =>
      textOf(Properties.IntegrationUri).includes(lambdaOf(name).id),
    );
    const targets = integrations.map(([id]) => `integrations/${id}`);
    const routes = propertiesOf('AWS::ApiGatewayV2::Route').filter(({ Target }) => targets.includes(textOf(Target)));
    expect(routes.map(({ RouteKey }) => RouteKey)).toEqual([...trigger.routes]);
  });

  it('is where the functions that push are told to push to', () => {
    const pushing = functions.filter(({ grants }) => grants.push);
    for (const { name } of pushing) {
      const { WEBSOCKET_ENDPOINT } = lambdaOf(name).properties.Environment.Variables;
      expect(textOf(WEBSOCKET_ENDPOINT)).toMatch(/^https:\/\/SocketGateway.*\.execute-api\..*\/ws$/);
    }
  });
});
