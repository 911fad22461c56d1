import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat, CfnAccount } from 'aws-cdk-lib/aws-apigateway';
import { LogGroupLogDestination, WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { CustomDomain } from './custom-domain.ts';
import type { DeployedFunction } from './deployed-function.ts';
import { accessLogGroup } from './log-group.ts';
import { accept, acceptManagedPolicy } from './nag-findings.ts';
import type { Settings } from './settings.ts';

/** The path of the sockets, as on one machine. */
const stageName = 'ws';
/** Frames from clients, all connections together. They subscribe and ping; what is pushed to them does not count. */
const throttle = { rateLimit: 500, burstLimit: 1000 };

/** The WebSocket API. It is created before its functions, which need to know where to push. */
export class SocketGateway extends Construct {
  readonly #api: WebSocketApi;
  readonly url: string;
  /** Where functions send to connections. */
  readonly endpoint: string;
  readonly connectionsArn: string;

  constructor(scope: Construct, id: string, { stage, domains }: Settings) {
    super(scope, id);
    this.#api = new WebSocketApi(this, 'Api', {
      apiName: `alphapulse-${stage}-sockets`,
      description: 'AlphaPulse live feeds',
    });
    accept(
      this.#api,
      'AwsSolutions-APIG4',
      'A browser can not set headers on a socket: the function of $connect checks the token, and later frames come on a checked connection.',
    );
    const live = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.#api,
      stageName,
      autoDeploy: true,
      throttle,
      ...(domains && {
        domainMapping: { domainName: new CustomDomain(this, 'Domain', domains.sockets, domains).domainName },
      }),
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogGroup(this, stage, 'sockets')),
        format: accessLogFormat,
      },
    });
    live.node.addDependency(this.#allowLogs());
    this.url = domains === undefined ? live.url : `wss://${domains.sockets}`;
    this.endpoint = live.callbackUrl;
    this.connectionsArn = Stack.of(this).formatArn({
      service: 'execute-api',
      resource: this.#api.apiId,
      resourceName: `${live.stageName}/*/@connections/*`,
    });
  }

  /** Routes connection events to the functions that declare them. */
  connect(functions: readonly DeployedFunction[]): void {
    for (const { entry, lambda } of functions) {
      if (entry.trigger.type !== 'socket') continue;
      for (const route of entry.trigger.routes) {
        this.#api.addRoute(route, { integration: new WebSocketLambdaIntegration(entry.name, lambda) });
      }
    }
  }

  /**
   * The role with which API Gateway writes the access logs of WebSocket APIs. There is one per account and region, which other
   * APIs may use too, so it stays when the stack is deleted.
   */
  #allowLogs(): CfnAccount {
    const logsPolicy = ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs');
    const role = new Role(this, 'LogsRole', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [logsPolicy],
    });
    acceptManagedPolicy(
      role,
      logsPolicy.managedPolicyArn,
      'The role is shared by all APIs of the account and region, and this policy is what AWS made for it.',
    );
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const account = new CfnAccount(this, 'Account', { cloudWatchRoleArn: role.roleArn });
    account.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return account;
  }
}

const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTimeEpoch(),
    connectionId: AccessLogField.contextConnectionId(),
    event: AccessLogField.contextEventType(),
    route: AccessLogField.contextRouteKey(),
    status: AccessLogField.contextStatus(),
    functionLatencyMs: AccessLogField.contextIntegrationLatency(),
    functionError: AccessLogField.contextIntegrationErrorMessage(),
    sourceAddress: AccessLogField.contextIdentitySourceIp(),
  }),
);
