import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as it came over the wire. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An answer; `hang` never answers, `drop` closes the connection. */
export type Answer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: object | string }
  | 'hang'
  | 'drop';

export interface Recorder {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Whether one of its answers is none, so that a client must lose its patience. */
  readonly hangs: boolean;
}

/** An HTTP server on this machine that gives the answers in turn and then 501; it closes with the test. */
export const httpRecorder = async (
  ...answers: (Answer | ((request: RecordedRequest) => Answer))[]
): Promise<Recorder> => {
  const requests: RecordedRequest[] = [];
  const waiting = [...answers];
  const server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const piece of incoming.setEncoding('utf8')) body += piece;
    const request = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body };
    requests.push(request);
    const next = waiting.shift() ?? { status: 501, body: 'No answer is left' };
    const answer = typeof next === 'function' ? next(request) : next;
    if (answer === 'hang') return;
    if (answer === 'drop') {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.status ?? 200, answer.headers);
    outgoing.end(typeof answer.body === 'object' ? JSON.stringify(answer.body) : answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    hangs: answers.includes('hang'),
  };
};

/** The last part of a JSON-protocol request's target: the operation's name. */
export const operationOf = ({ headers }: RecordedRequest): string =>
  String(headers['x-amz-target']).split('.').at(-1) ?? '';

/** Options of an AWS client that talks to a recorder: fixed credentials, no repetition by the SDK, and patience that only a silent recorder wears out. */
export const towards = (recorder: Recorder) => ({
  endpoint: recorder.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
  requestHandler: { requestTimeout: recorder.hangs ? 100 : 15_000, throwOnRequestTimeout: true },
});

/** A failure as the JSON services of AWS report it. */
export const awsFailure = (name: string, message = name, more: object = {}, status = 400): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'request-1' },
  body: { __type: `com.amazonaws#${name}`, message, ...more },
});
