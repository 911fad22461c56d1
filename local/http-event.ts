import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { HttpProblem } from '#functions/http/problem';

/** What the gateway knows of a request besides the request itself. */
export interface RequestFacts {
  readonly requestId: string;
  /** GET for a request whose method is HEAD. */
  readonly method: string;
  /** Where the request came from, as far as that is known. */
  readonly clientAddress: string;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly routeKey: string;
  /** Percent-encoded. */
  readonly params: Readonly<Record<string, string>> | undefined;
  readonly body: Buffer | undefined;
}

const localId = 'local';
const accountId = '000000000000';

/**
 * A request as API Gateway's HTTP API hands it to a function, payload format 2.0:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @throws {HttpProblem} `malformed-request`: the path or query has an invalid percent-encoding, or a text is not UTF-8
 */
export const httpEvent = (request: IncomingMessage, facts: RequestFacts): APIGatewayProxyEventV2 => {
  const { requestId, method, clientAddress, receivedAt, rawPath, rawQueryString, routeKey, params, body } = facts;
  const { headers, cookies } = headersOf(request.rawHeaders);
  const domainName = headers.host ?? 'localhost';
  const text = body === undefined || isText(headers['content-type']);
  if (rawPath.includes('%')) decoded(rawPath);
  // Read all the same, its letters would silently become others.
  if (text && body !== undefined && !isUtf8(body)) {
    throw new HttpProblem('malformed-request', 'The body is not valid UTF-8.');
  }
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers,
    ...(cookies && { cookies }),
    ...(rawQueryString !== '' && { queryStringParameters: queryOf(rawQueryString) }),
    ...(params && { pathParameters: decodedValues(params) }),
    requestContext: {
      accountId,
      apiId: localId,
      domainName,
      domainPrefix: domainName.split('.', 1)[0] ?? '',
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: clientAddress,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: '$default',
      time: commonLogTime(receivedAt),
      timeEpoch: receivedAt,
    },
    ...(body && { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: !text,
  };
};

/** The event of the authorizer for a request: the same without its body. */
export const authorizerEvent = (event: APIGatewayProxyEventV2): APIGatewayRequestAuthorizerEventV2 => {
  const { requestContext } = event;
  const { method, path } = requestContext.http;
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:local:${accountId}:${localId}/$default/${method}${path}`,
    identitySource: [],
    routeKey: event.routeKey,
    rawPath: event.rawPath,
    rawQueryString: event.rawQueryString,
    cookies: event.cookies ?? [],
    headers: event.headers,
    queryStringParameters: event.queryStringParameters ?? {},
    pathParameters: event.pathParameters ?? {},
    requestContext,
    stageVariables: {},
  };
};

const headersOf = (rawHeaders: readonly string[]) => {
  const headers: Record<string, string> = {};
  let cookies: string[] | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'cookie') {
      cookies = [...(cookies ?? []), ...value.split(/; */)];
    } else if (name !== '__proto__') {
      headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value;
    }
  }
  return { headers, cookies };
};

const queryOf = (rawQueryString: string): Record<string, string> => {
  if (rawQueryString.includes('%')) decoded(rawQueryString);
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const earlier = query.get(name);
    query.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return Object.fromEntries(query);
};

const decodedValues = (params: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decoded(value)]));

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpProblem('malformed-request', 'The URL has an invalid percent-encoding.');
  }
};

const isText = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^(text\/|application\/(json|javascript|xml)|[^;]*\+(json|xml))/i.test(contentType);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const twoDigits = (number: number): string => (number < 10 ? `0${number}` : String(number));

let lastSecond = Number.NaN;
let lastTime = '';

/** As the Common Log Format writes it: `01/Jan/2026:00:00:00 +0000`. */
const commonLogTime = (epochMs: number): string => {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    const date = new Date(epochMs);
    const day = `${twoDigits(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
    const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits).join(':');
    lastSecond = second;
    lastTime = `${day}:${time} +0000`;
  }
  return lastTime;
};
