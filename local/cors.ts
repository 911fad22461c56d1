import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { CORS, PREFLIGHT_HEADERS } from '#functions/http/cors';
import type { Answer } from './http-answer.ts';

/** Cross-origin requests as API Gateway handles them: it answers preflights itself and allows only configured origins. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  allows(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** The answer to a preflight; undefined for any other request, and where no origin is configured. */
  preflight({ method, headers }: IncomingMessage): Answer | undefined {
    const preflight = headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
    if (method !== 'OPTIONS' || !preflight || this.#origins.size === 0) return undefined;
    return { status: 204, headers: this.allows(headers.origin ?? '') ? PREFLIGHT_HEADERS : {}, body: '' };
  }

  /** Adds what lets the page of an allowed origin read the answer. */
  mark(answer: OutgoingHttpHeaders, origin: string | undefined): void {
    if (this.#origins.size === 0) return;
    answer.vary = answer.vary === undefined ? 'Origin' : `${answer.vary}, Origin`;
    if (origin === undefined || !this.allows(origin)) return;
    answer['access-control-allow-origin'] = origin;
    answer['access-control-expose-headers'] = CORS.answerHeaders.join();
  }
}
