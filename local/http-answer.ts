import type { OutgoingHttpHeaders } from 'node:http';
import { problemOf } from '#functions/http/problem';

/** An answer before the gateway's own headers. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** A handler's answer is none that API Gateway could pass on. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/**
 * What API Gateway makes of a handler's answer in payload format 2.0: one without `statusCode` is a JSON body as it is.
 * @throws {BadAnswer}
 */
export const answerOf = (result: unknown): Answer => {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    if (result === undefined) throw new BadAnswer('The handler answered nothing');
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode } = result;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599) {
    throw new BadAnswer('The handler answered with a status code that is none');
  }
  const body = 'body' in result ? (result.body ?? '') : '';
  if (typeof body !== 'string') throw new BadAnswer('The handler answered with a body that is no string');
  const base64 = 'isBase64Encoded' in result && result.isBase64Encoded === true;
  return { status: statusCode, headers: answerHeaders(result), body: base64 ? Buffer.from(body, 'base64') : body };
};

const answerHeaders = (result: object): OutgoingHttpHeaders => {
  const headers: OutgoingHttpHeaders = {};
  if ('headers' in result && typeof result.headers === 'object' && result.headers !== null) {
    for (const [name, value] of Object.entries(result.headers)) headers[name.toLowerCase()] = String(value);
  }
  if ('cookies' in result && Array.isArray(result.cookies)) headers['set-cookie'] = result.cookies.map(String);
  return headers;
};

/** The response for an error. */
export const problemAnswer = (error: unknown, path: string, requestId: string): Answer => {
  const { problem, headers } = problemOf(error, path, requestId);
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify(problem),
  };
};

/** A problem of HTTP itself, which has no type beyond its status code (RFC 9457, section 4.2.1). */
export const statusAnswer = (
  status: number,
  title: string,
  detail: string,
  path: string,
  requestId: string,
): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title, status, detail, instance: path, requestId }),
});
