import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import type { Platform } from '#shared/platform/ports';
import { originOf, type RequestOrigin } from './audit-origin.ts';
import { type Caller, callerOf, type SessionCaller } from './caller.ts';
import { requireConfirmation } from './confirmation.ts';
import { onceByKey } from './idempotency.ts';
import { type FiltersOf, Paging, type PagingOf } from './paging.ts';
import type { Reply } from './reply.ts';
import type { Route, RouteScope } from './route.ts';
import { type ValidInput, validInput } from './validation.ts';

/** A route bound to its handler. */
export interface Binding {
  readonly route: Route;
  readonly handle: (platform: Platform) => (event: APIGatewayProxyEventV2) => Promise<Reply>;
}

/** Who calls a route of this scope. */
type CallerOf<S extends RouteScope> = S extends 'public'
  ? unknown
  : { readonly caller: S extends 'session' ? SessionCaller : Caller };

/**
 * A request that was authenticated, authorized and validated. `caller` is there unless the route is public, `page` where the
 * query has a cursor; `query` then holds the filters alone.
 */
type Request<Params, Query, Body, S extends RouteScope> = ValidInput<Params, FiltersOf<Query>, Body> &
  CallerOf<S> &
  PagingOf<Query> & {
    readonly origin: RequestOrigin;
  };

/**
 * Binds a route to its handler, which runs once the caller has the route's scope, the input is valid, and the session is confirmed
 * where the route requires it. Only handlers of
 * `session` routes can see the caller's session, so that no API key can reach what they do.
 */
export const on = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, S extends RouteScope>(
  route: Route<P, Q, B, S>,
  handle: (request: Request<z.infer<P>, z.infer<Q>, z.infer<B>, S>) => Promise<Reply>,
): Binding => ({
  route: route as unknown as Route,
  handle: (platform) => async (event) => {
    const caller = route.scope === 'public' ? undefined : callerOf(event, route.scope);
    const { params, query, body } = validInput(route, event);
    await requireConfirmation(platform, route, caller, body);
    const input = { params, query, body, caller, origin: originOf(event, caller) };
    const isPaged = route.query !== undefined && 'cursor' in route.query.shape;
    const request = isPaged ? { ...input, ...paged(route, input) } : input;
    const run = () => handle(request as unknown as Parameters<typeof handle>[0]);
    return route.idempotent === true && caller !== undefined
      ? onceByKey(platform, caller, route, event, body, run)
      : run();
  },
});

/** Splits a query into filters and page. */
const paged = (
  route: Pick<Route, 'method' | 'path'>,
  { caller, params, query }: { readonly caller: Caller | undefined; readonly params: object; readonly query: object },
) => {
  const { limit, cursor, ...filters } = query as { readonly limit?: number; readonly cursor?: string };
  const scope = { route, userId: caller?.userId, params, filters };
  return { query: filters, page: new Paging(scope, { limit, ...(cursor !== undefined && { cursor }) }) };
};
