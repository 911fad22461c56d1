import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { HttpProblem } from '#functions/http/problem';
import type { Route } from '#functions/http/route';
import { securityHeaders } from '#functions/http/security-headers';
import { TimedOut } from '#shared/platform/errors';
import type { Clock, Ids } from '#shared/platform/ports';
import { Cors } from './cors.ts';
import type { FrontDoor } from './front-door.ts';
import { type Answer, answerOf, problemAnswer, statusAnswer } from './http-answer.ts';
import { authorizerEvent, httpEvent } from './http-event.ts';
import { HandlerTimedOut, type Invoke } from './invoke.ts';
import { endWithAnswer } from './raw-answer.ts';
import { BodyTooLarge, bodyBytesMax, endAfterDraining, hasBody, readBody } from './request-body.ts';
import { RouteTable } from './route-table.ts';

const headersTimeoutMs = 10_000;
/** A request has to be there as a whole by then, however slowly it comes. */
const requestTimeoutMs = 30_000;
/** How often Node looks for requests that are late. */
const lateCheckMs = 1_000;
const keepAliveTimeoutMs = 30_000;
const connectionsMax = 10_000;
const headersMax = 100;

/** A function with routes; one of them takes what no route matches. */
export interface HttpFunction {
  readonly routes: readonly Route[];
  readonly fallback?: boolean;
  readonly invoke: Invoke;
}

/** A page of one machine's own, made for a GET request. */
export type LocalPage = (request: { readonly accept: string; readonly query: URLSearchParams }) => Answer;

export interface GatewayOptions {
  readonly functions: readonly HttpFunction[];
  readonly authorize: Invoke | undefined;
  readonly corsOrigins: readonly string[];
  readonly door: FrontDoor;
  /** Whether browsers are told to use TLS only. */
  readonly strictTransport: boolean;
  /** By path. They need no login: what is private asks for a token of its own. */
  readonly pages: ReadonlyMap<string, LocalPage>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Pick<Logger, 'error'>;
  /** For tests; {@link requestTimeoutMs} by default. */
  readonly requestTimeoutMs?: number;
}

const Verdict = z.object({ isAuthorized: z.boolean(), context: z.record(z.string(), z.unknown()).optional() });

/** The HTTP API on one machine: hands requests to functions as API Gateway does. */
export class Gateway {
  readonly server: Server;
  readonly #options: GatewayOptions;
  readonly #routes = new RouteTable<Invoke>();
  readonly #fallback: Invoke | undefined;
  readonly #cors: Cors;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#cors = new Cors(options.corsOrigins);
    for (const { routes, invoke } of options.functions) for (const route of routes) this.#routes.add(route, invoke);
    this.#fallback = options.functions.find(({ fallback }) => fallback === true)?.invoke;
    const limitMs = options.requestTimeoutMs ?? requestTimeoutMs;
    this.server = createServer(
      {
        headersTimeout: Math.min(headersTimeoutMs, limitMs),
        requestTimeout: limitMs,
        connectionsCheckingInterval: Math.min(lateCheckMs, limitMs),
        keepAliveTimeout: keepAliveTimeoutMs,
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      },
      (request, response) => void this.#serve(request, response),
    );
    this.server.maxConnections = connectionsMax;
    this.server.maxHeadersCount = headersMax;
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseUnreadable(error, socket));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = this.#options.ids.next();
    const target = request.url ?? '';
    const question = target.indexOf('?');
    const path = question === -1 ? target : target.slice(0, question);
    const query = question === -1 ? '' : target.slice(question + 1);
    try {
      this.#send(request, response, requestId, await this.#answer(request, requestId, path, query));
    } catch (error) {
      // A client that disconnected while sending gets no response.
      if (request.errored !== null) return;
      const answer = this.#failure(error, path, requestId);
      if (!response.headersSent) this.#send(request, response, requestId, answer);
    }
  }

  async #answer(request: IncomingMessage, requestId: string, path: string, query: string): Promise<Answer> {
    const { method: sent = '', headers } = request;
    const admission = this.#options.door.admit(request);
    if ('refusal' in admission) {
      return statusAnswer(421, 'Misdirected Request', admission.refusal, path, requestId);
    }
    if (!path.startsWith('/') || path.startsWith('//')) {
      throw new HttpProblem('malformed-request', 'The request target must be a path that begins with one slash.');
    }
    const preflight = sent === 'OPTIONS' ? this.#cors.preflight(request) : undefined;
    if (preflight !== undefined) return preflight;
    // The answer to HEAD is that to GET without its body (RFC 9110, section 9.3.2), which Node leaves out.
    const method = sent === 'HEAD' ? 'GET' : sent;
    const page = method === 'GET' ? this.#options.pages.get(path) : undefined;
    if (page !== undefined) return page({ accept: headers.accept ?? '', query: new URLSearchParams(query) });

    const body = hasBody(request) ? await readBody(request) : undefined;
    const match = this.#routes.find(method, path);
    const event = httpEvent(request, {
      requestId,
      method,
      clientAddress: admission.clientAddress,
      receivedAt: this.#options.clock.now(),
      rawPath: path,
      rawQueryString: query,
      routeKey: match?.destination.routeKey ?? '$default',
      params: match?.params,
      body,
    });
    if (match === undefined) {
      if (this.#fallback === undefined) throw new HttpProblem('not-found', 'There is no such path.');
      return answerOf(await this.#fallback(event, requestId));
    }
    const { route, target } = match.destination;
    return answerOf(await target(route.scope === 'public' ? event : await this.#authorized(event), requestId));
  }

  async #authorized(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyEventV2> {
    const { authorize } = this.#options;
    if (authorize === undefined) throw new TypeError('There is no authorizer');
    const verdict = Verdict.parse(await authorize(authorizerEvent(event), event.requestContext.requestId));
    if (!verdict.isAuthorized) throw new HttpProblem('forbidden', 'The authorizer refused the request.');
    const requestContext = { ...event.requestContext, authorizer: { lambda: verdict.context ?? {} } };
    return { ...event, requestContext };
  }

  #send(request: IncomingMessage, response: ServerResponse, requestId: string, answer: Answer): void {
    const headers = { 'x-request-id': requestId, ...securityHeaders(this.#options), ...answer.headers };
    this.#cors.mark(headers, request.headers.origin);
    if (!this.server.listening) headers.connection = 'close';
    const { status, body } = answer;
    if (status !== 204 && status !== 304) headers['content-length'] = Buffer.byteLength(body);
    if (request.complete || !hasBody(request)) {
      response.writeHead(status, headers).end(body);
    } else {
      headers.connection = 'close';
      response.writeHead(status, headers).write(body);
      endAfterDraining(request, response, this.#options.clock);
    }
  }

  #failure(error: unknown, path: string, requestId: string): Answer {
    if (error instanceof BodyTooLarge) {
      const tooLarge = new HttpProblem('payload-too-large', `A body may have at most ${bodyBytesMax} bytes.`);
      return problemAnswer(tooLarge, path, requestId);
    }
    if (error instanceof HttpProblem) return problemAnswer(error, path, requestId);
    this.#options.logger.error('A request could not be answered', { requestId, error: error as Error });
    const problem = error instanceof HandlerTimedOut ? new TimedOut('The request took too long.') : error;
    return problemAnswer(problem, path, requestId);
  }

  /** Answers what is no HTTP request, or came too slowly. */
  #refuseUnreadable({ code }: NodeJS.ErrnoException, socket: Duplex): void {
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    const title = STATUS_CODES[status] ?? '';
    const requestId = this.#options.ids.next();
    const { body, headers: own } = statusAnswer(status, title, 'The request can not be read.', '/', requestId);
    const headers = { ...own, 'x-request-id': requestId, ...securityHeaders(this.#options) };
    endWithAnswer(socket, { status, headers, body }, this.#options.clock);
  }
}
