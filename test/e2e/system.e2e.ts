import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { HttpReply, Status } from '../support/client.ts';
import { eventually, send, target } from './target.ts';
import { newUser } from './user.ts';

const Responses = z.record(
  z.string(),
  z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })).optional() }),
);
const Document = z.looseObject({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ security: z.array(z.unknown()), responses: Responses })),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

let document: z.infer<typeof Document>;
let user: Awaited<ReturnType<typeof newUser>>;
beforeAll(async () => {
  document = Document.parse((await send('GET', '/openapi.json')).body);
  user = await newUser();
});

/** The schema that the document declares for an answer; its references lead to definitions inside of it. */
const declared = (method: string, path: string, { status, headers }: HttpReply): z.ZodType => {
  const responses = document.paths[path]?.[method.toLowerCase()]?.responses ?? {};
  const mediaType = headers.get('content-type') ?? '';
  const schema = (responses[status] ?? responses.default)?.content?.[mediaType]?.schema;
  if (schema === undefined) throw new Error(`${method} ${path} declares no ${status} as ${mediaType}`);
  const whole = JSON.stringify({ $defs: document.components.schemas, ...(schema as object) });
  return z.fromJSONSchema(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')));
};

describe('the OpenAPI document', () => {
  it('is one of version 3.1', () => expect(document.openapi).toMatch(/^3\.1\./));

  const condition = { type: 'price', venue: 'binance', symbol: 'BTC/USDT', operator: 'above', value: '1000000' };
  it.each<[method: string, path: string, status: number, body?: unknown]>([
    ['GET', '/health', 200],
    ['GET', '/api/user/profile', 200],
    ['PUT', '/api/user/settings', 200, { webhookUrl: null }],
    ['PUT', '/api/user/settings', 422, { webhookUrl: 'no' }],
    ['GET', '/api/market/prices', 200],
    ['POST', '/api/alerts/create', 201, { condition }],
    ['POST', '/api/alerts/create', 422, {}],
    ['GET', '/api/alerts/list', 200],
    ['GET', '/api/alerts/history', 200],
    ['PUT', '/api/alerts/update', 404, { alertId: '0198a000-0000-7000-8000-000000000000' }],
    ['GET', '/api/system/status', 200],
  ])('agrees with the answer to %s %s: %i', async (method, path, status, body) => {
    const answer = await user.client.send(method, path, body);
    expect(answer.status).toBe(status);
    expect(declared(method, path, answer).safeParse(answer.body)).toMatchObject({ success: true });
  });

  it('says of each route whether it needs a login', async () => {
    const told = Object.entries(document.paths).flatMap(([path, { get }]) =>
      get === undefined || path.includes('{') ? [] : [[path, get.security.length > 0] as const],
    );
    const found = await Promise.all(told.map(async ([path]) => [path, (await send('GET', path)).status === 401]));
    expect(found).toEqual(told);
  });
});

describe('the status', () => {
  it('finds every part well, the venue among them', async () => {
    const status = await eventually('a good status', async () => {
      const found = await user.client.get<Status>('/api/system/status');
      return found.status === 'ok' && found;
    });
    const names = status.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['table', 'queue', 'stream:alerts', 'stream:push', 'venue:binance']));
  });

  it('is for those who are logged in', async () => expect((await send('GET', '/api/system/status')).status).toBe(401));
});

describe('an answer', () => {
  it('says how often one may ask', async () => {
    const { headers } = await send('GET', '/health');
    expect(headers.get('ratelimit-policy')).toMatch(/^"route";q=\d+;w=60$/);
    expect(headers.get('ratelimit')).toMatch(/^"route";r=\d+;t=\d+$/);
  });

  it('tells a browser to do nothing with it', async () => {
    const { headers } = await send('GET', '/nowhere');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('strict-transport-security') !== null).toBe(target.runtime === 'aws');
  });
});

describe('pages of other origins', () => {
  it('may ask beforehand from a configured origin', async () => {
    const answer = await fetch(`${target.url}/api/alerts/create`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:5173',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    // Browsers take any other status for a refusal, whatever the headers say.
    expect(answer.ok).toBe(true);
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
  });

  it('may not from another', async () => {
    const answer = await fetch(`${target.url}/api/alerts/create`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example.com', 'access-control-request-method': 'POST' },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
