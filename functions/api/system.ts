import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { api, type HttpHandler } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { PREFLIGHT_HEADERS } from '#functions/http/cors';
import { HttpProblem, PROBLEMS } from '#functions/http/problem';
import { noContent, ok, type Reply } from '#functions/http/reply';
import { methodsOf } from '#functions/http/route';
import { SystemStatus } from '#shared/operations/status';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { auditBindings } from './audit.ts';
import * as routes from './system.routes.ts';

/** The declarations of all routes, with every schema of the API: most requests need none of them. */
const loadRoutes = async () => (await import('./routes.ts')).routes;

export const createSystemApi = (platform: Platform): HttpHandler => {
  const status = new SystemStatus(platform);
  let document: Record<string, unknown> | undefined;
  return api(
    platform,
    [
      on(routes.health, async () => ok({ status: 'ok' })),
      on(routes.openapi, async () => {
        const [{ openApiDocument }, declared] = await Promise.all([import('#functions/http/openapi'), loadRoutes()]);
        document ??= openApiDocument(declared, platform.config.version);
        return ok(document);
      }),
      on(routes.explainProblem, async ({ params }) =>
        ok({ type: `/problems/${params.code}`, ...PROBLEMS[params.code] }),
      ),
      on(routes.getStatus, async () => ok(await status.read())),
      ...auditBindings(platform),
    ],
    async (event) => preflight(event, platform.config.http.corsOrigins) ?? (await refuse(event)),
  );
};

/**
 * The answer to a preflight; undefined for any other request, and where no origin is configured. HTTP API answers preflights
 * itself except where a route matches them, and `$default` matches every path. It adds its CORS headers to this answer, in
 * place of these, but the status is ours: a preflight fails unless it is 2xx.
 */
const preflight = (
  { headers, requestContext }: APIGatewayProxyEventV2,
  corsOrigins: readonly string[],
): Reply | undefined => {
  const { origin, 'access-control-request-method': requested } = headers;
  const isPreflight = requestContext.http.method === 'OPTIONS' && origin !== undefined && requested !== undefined;
  if (!isPreflight || corsOrigins.length === 0) return undefined;
  const allowed = { 'access-control-allow-origin': origin, ...PREFLIGHT_HEADERS };
  return { ...noContent(), headers: { vary: 'Origin', ...(corsOrigins.includes(origin) && allowed) } };
};

/** Refuses a request that no route matches; the path may support other methods. */
const refuse = async ({ rawPath, requestContext }: APIGatewayProxyEventV2): Promise<never> => {
  const allRoutes = await loadRoutes();
  const exact = allRoutes.filter(({ path }) => path === rawPath);
  const offered = exact.length > 0 ? exact : allRoutes.filter(({ path }) => matches(path, rawPath));
  const { method } = requestContext.http;
  if (offered.length === 0) {
    throw new HttpProblem('not-found', 'No route matches this path; /openapi.json lists all routes.');
  }
  const allow = offered.flatMap(methodsOf).join(', ');
  throw new HttpProblem('method-not-allowed', `This path does not support ${method}, only ${allow}.`, {
    headers: { allow },
  });
};

const matches = (template: string, path: string): boolean => {
  const parts = path.split('/');
  const expected = template.split('/');
  return (
    parts.length === expected.length &&
    expected.every((part, index) => (part.startsWith('{') ? parts[index] !== '' : part === parts[index]))
  );
};

export const handler = onLambda(createSystemApi);
