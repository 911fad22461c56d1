import { Duration } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Construct } from 'constructs';
import { CORS } from '../functions/http/cors.ts';
import { methodsOf, type Route } from '../functions/http/route.ts';
import { CustomDomain } from './custom-domain.ts';
import type { DeployedFunction } from './deployed-function.ts';
import { accessLogGroup } from './log-group.ts';
import { accept } from './nag-findings.ts';
import type { Settings } from './settings.ts';

/**
 * A declaration's throttle is per caller, the gateway's is for all callers: it admits this many at their limit at once. Routes
 * without a login admit more: whoever has many addresses could otherwise keep everybody from logging in.
 */
const callersAtLimit = (scope: Route['scope']): number => (scope === 'public' ? 1000 : 50);
/** Highest rate of one route: what is left of an account's 10,000 a second is for the others and for sockets. */
const routeRateMax = 1000;
/** The bucket holds the requests of this many seconds, so that callers who start together get through. */
const burstSeconds = 2;
/** For requests that no route matches. */
const unroutedThrottle = { rateLimit: 100, burstLimit: 200 };

/** The HTTP API: one route for each declaration, with its function, its throttle, and the authorizer unless it is public. */
export class HttpGateway extends Construct {
  readonly url: string;

  constructor(
    scope: Construct,
    id: string,
    { functions, settings }: { readonly functions: readonly DeployedFunction[]; readonly settings: Settings },
  ) {
    super(scope, id);
    const api = new HttpApi(this, 'Api', {
      apiName: `alphapulse-${settings.stage}`,
      description: 'AlphaPulse REST API',
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: [...settings.allowedOrigins],
        allowMethods: CORS.methods.map((method) => CorsHttpMethod[method]),
        allowHeaders: [...CORS.requestHeaders],
        exposeHeaders: [...CORS.answerHeaders],
        maxAge: Duration.seconds(CORS.maxAgeSeconds),
      },
    });
    const authorizer = authorizerOf(functions);
    const { domains } = settings;
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      autoDeploy: true,
      throttle: unroutedThrottle,
      ...(domains && {
        domainMapping: { domainName: new CustomDomain(this, 'Domain', domains.http, domains).domainName },
      }),
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogGroup(this, settings.stage, 'http')),
        format: accessLogFormat,
      },
    });
    const throttles: Record<string, CfnRouteThrottle> = {};
    for (const { entry, lambda } of functions) {
      if (entry.trigger.type !== 'http') continue;
      const integration = new HttpLambdaIntegration(entry.name, lambda, { scopePermissionToRoute: false });
      for (const declaration of entry.trigger.routes) {
        for (const method of methodsOf(declaration)) {
          const key = `${method} ${declaration.path}`;
          const route = new HttpRoute(this, key, {
            httpApi: api,
            routeKey: HttpRouteKey.with(declaration.path, HttpMethod[method]),
            integration,
            ...(declaration.scope === 'public' ? {} : { authorizer }),
          });
          if (declaration.scope === 'public') {
            accept(route, 'AwsSolutions-APIG4', 'The route is declared public: it works without an account.');
          }
          throttles[key] = throttleOf(declaration, settings.requestLimitFactor);
          // A stage can only throttle routes that exist.
          stage.node.addDependency(route);
        }
      }
      if (entry.trigger.fallback) {
        const fallback = new HttpRoute(this, '$default', { httpApi: api, routeKey: HttpRouteKey.DEFAULT, integration });
        accept(fallback, 'AwsSolutions-APIG4', 'It only answers that a path or a method does not exist.');
      }
    }
    if (stage.node.defaultChild instanceof CfnStage) stage.node.defaultChild.routeSettings = throttles;
    this.url = domains === undefined ? api.apiEndpoint : `https://${domains.http}`;
  }
}

/** Spelled as CloudFormation does: the property is plain JSON to the CDK. */
interface CfnRouteThrottle {
  readonly ThrottlingRateLimit: number;
  readonly ThrottlingBurstLimit: number;
}

const throttleOf = (
  { throttle: { requestsPerMinute }, scope }: Pick<Route, 'throttle' | 'scope'>,
  factor: number,
): CfnRouteThrottle => {
  const perSecond = Math.min(routeRateMax, Math.ceil((requestsPerMinute * factor * callersAtLimit(scope)) / 60));
  return { ThrottlingRateLimit: perSecond, ThrottlingBurstLimit: perSecond * burstSeconds };
};

/**
 * Asked on every request, whatever its headers: see docs/decisions/aws-http-authorizer.md.
 * @throws {Error} the manifest has no authorizer
 */
const authorizerOf = (functions: readonly DeployedFunction[]): HttpLambdaAuthorizer => {
  const check = functions.find(({ entry }) => entry.trigger.type === 'authorizer');
  if (check === undefined) throw new Error('The manifest has no function that is the authorizer');
  return new HttpLambdaAuthorizer('Authorizer', check.lambda, {
    responseTypes: [HttpLambdaResponseType.SIMPLE],
    identitySource: [],
    resultsCacheTtl: Duration.seconds(0),
  });
};

/** No query and no headers: they may hold what a log must not. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTimeEpoch(),
    route: AccessLogField.contextRouteKey(),
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    bytes: AccessLogField.contextResponseLength(),
    latencyMs: AccessLogField.contextResponseLatency(),
    functionLatencyMs: AccessLogField.contextIntegrationLatency(),
    functionError: AccessLogField.contextIntegrationErrorMessage(),
    authorizerError: AccessLogField.contextAuthorizerError(),
    sourceAddress: AccessLogField.contextIdentitySourceIp(),
    userAgent: AccessLogField.contextIdentityUserAgent(),
  }),
);
