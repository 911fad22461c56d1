import type { ZodObject, ZodType } from 'zod';
import type { Scope } from '#shared/model/scopes';

/**
 * How often one caller may call a route: a user, or a network address where nobody is logged in. Below 20 a minute it is
 * kept to the request over all instances of a function (docs/decisions/rate-limits.md).
 */
export interface Throttle {
  readonly requestsPerMinute: number;
}
export const perMinute = (requests: number): Throttle => ({ requestsPerMinute: requests });

/**
 * What the caller of a route needs: nothing (`public`); a scope; to be known, also by an API key of any scopes (`self`); or to
 * be logged in (`session`): for credentials, sessions, and what would go beyond the scopes of a key. What needs no
 * scope is `session` unless any key may have it.
 */
export type RouteScope = Scope | 'public' | 'self' | 'session';

/**
 * A route's declaration: the router, the HTTP API, the local gateway and the OpenAPI document are all made from it.
 * It holds schemas only, so that it is cheap to import.
 */
export interface Route<
  Params extends ZodObject = ZodObject,
  Query extends ZodObject = ZodObject,
  Body extends ZodType = ZodType,
  Needs extends RouteScope = RouteScope,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As API Gateway writes it: `/api/alerts/{alertId}`. */
  readonly path: `/${string}`;
  readonly scope: Needs;
  readonly throttle: Throttle;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Schemas of the answers by status code; null for one without a body. */
  readonly response: { readonly [status: number]: ZodType | null };
  /** Media type of the answers when it is not JSON. */
  readonly produces?: string;
  /** Accepts an `Idempotency-Key`: the same key and body give the same answer without a second effect. */
  readonly idempotent?: boolean;
}

export const route = <
  const Needs extends RouteScope,
  Params extends ZodObject = ZodObject<Record<never, never>>,
  Query extends ZodObject = ZodObject<Record<never, never>>,
  Body extends ZodType = ZodType<undefined>,
>(
  declaration: Route<Params, Query, Body, Needs>,
): Route<Params, Query, Body, Needs> => declaration;

/** `GET /api/alerts/{alertId}`: how API Gateway names a route. */
export const routeKey = (route: Pick<Route, 'method' | 'path'>): string => `${route.method} ${route.path}`;
