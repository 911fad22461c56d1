/** What every venue double shares: an HTTP server on a loopback port that records requests and misbehaves on demand. */
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import * as z from 'zod';

/** A request as the venue reads it. */
export interface VenueRequest {
  readonly method: string;
  readonly path: string;
  /** As it was sent, without the question mark: signatures are made over it. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The venue's time, epoch ms. */
  readonly at: number;
}

export interface VenueAnswer {
  /** 200 when left out. */
  readonly status?: number;
  /** A string is sent as it is, anything else as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  /** The venue's time, epoch ms. */
  readonly at: number;
}

/** An answer given instead of the true one. */
export interface Fault {
  readonly status: number;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many requests get it; 1 when left out. */
  readonly times?: number;
  /** Only requests for this path get it; any when left out. */
  readonly path?: string;
}

/** The server of a double as its tests see it. Faults are used up in the order in which they were added. */
export interface VenueServer {
  readonly url: string;
  /** Every request so far, oldest first, since they were forgotten last. */
  readonly requests: readonly ReceivedRequest[];
  /** For what runs long: requests would pile up. */
  forget(): void;
  /** The next requests get this answer. */
  fail(fault: Fault): void;
  /** The next requests get no answer at all. */
  hang(times?: number, path?: string): void;
  /** The next requests get the head of an answer and the start of its body, and no more. */
  stall(times?: number, path?: string): void;
  /** The next requests get broken JSON with status 200. */
  malformed(times?: number, path?: string): void;
  /** The next requests get their connection cut. */
  drop(times?: number, path?: string): void;
  /** The next requests get their true answer, `ms` late. */
  slow(ms: number, times?: number, path?: string): void;
  /** Moves the venue's clock on (or back) against the true one. */
  skew(ms: number): void;
  close(): Promise<void>;
}

export interface VenueServerOptions {
  /** Port to listen on; any free one when left out. */
  readonly port?: number;
  /** The venue's time, epoch ms; that of the machine when left out. */
  readonly now?: () => number;
  readonly answer: (request: VenueRequest) => VenueAnswer;
  /** What a request gets whose answer is malformed. */
  readonly malformedBody: string;
  /** Moves a price; `POST /double/price {symbol, last}` calls it. @throws the symbol is not listed */
  readonly setPrice: (symbol: string, price: string) => void;
}

/** The path at which a person moves a price of the double. */
export const doublePricePath = '/double/price';
const PriceChange = z.object({ symbol: z.string(), last: z.string().regex(/^\d+(\.\d+)?$/) });

interface Misbehaviour {
  readonly path: string | undefined;
  readonly how: (response: ServerResponse, request: VenueRequest) => void;
}

export const startVenueServer = async (options: VenueServerOptions): Promise<VenueServer> => {
  const { port = 0, now = Date.now, answer, malformedBody, setPrice } = options;
  const requests: ReceivedRequest[] = [];
  const misbehaviours: Misbehaviour[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let skewMs = 0;

  const misbehave = (times: number, path: string | undefined, how: Misbehaviour['how']) => {
    for (let time = 0; time < times; time++) misbehaviours.push({ path, how });
  };
  const misbehaviourFor = (path: string): Misbehaviour | undefined => {
    const index = misbehaviours.findIndex((misbehaviour) => (misbehaviour.path ?? path) === path);
    return index < 0 ? undefined : misbehaviours.splice(index, 1)[0];
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(incoming);
    const { pathname: path, search, searchParams: query } = new URL(incoming.url ?? '/', 'http://venue');
    const { method = 'GET', headers } = incoming;
    if (path === doublePricePath) return reply(response, movedPrice(method, body, setPrice));
    const at = now() + skewMs;
    requests.push({ method, path, query: Object.fromEntries(query), body, at });
    const request = { method, path, rawQuery: search.slice(1), query, headers, body, at };
    const misbehaviour = misbehaviourFor(path);
    if (misbehaviour === undefined) reply(response, answer(request));
    else misbehaviour.how(response, request);
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The double has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    forget: () => {
      requests.length = 0;
    },
    fail: ({ status, body = '', headers = {}, times = 1, path }) =>
      misbehave(times, path, (response) => reply(response, { status, body, headers })),
    hang: (times = 1, path) => misbehave(times, path, () => {}),
    stall: (times = 1, path) =>
      misbehave(times, path, (response) => void response.writeHead(200).write(malformedBody.slice(0, 10))),
    malformed: (times = 1, path) => misbehave(times, path, (response) => reply(response, { body: malformedBody })),
    drop: (times = 1, path) => misbehave(times, path, (response) => void response.socket?.destroy()),
    slow: (ms, times = 1, path) =>
      misbehave(times, path, (response, request) => {
        const timer = setTimeout(() => {
          timers.delete(timer);
          reply(response, answer(request));
        }, ms);
        timers.add(timer);
      }),
    skew: (ms) => {
      skewMs = ms;
    },
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const movedPrice = (method: string, body: string, setPrice: VenueServerOptions['setPrice']): VenueAnswer => {
  if (method !== 'POST') return { status: 405, body: '', headers: { allow: 'POST' } };
  try {
    const { symbol, last } = PriceChange.parse(JSON.parse(body));
    setPrice(symbol, last);
    return { body: { symbol, last } };
  } catch (error) {
    return { status: 422, body: { error: (error as Error).message } };
  }
};

const readBody = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const reply = (response: ServerResponse, { status = 200, body, headers = {} }: VenueAnswer) => {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
