import type { ZodObject, ZodType } from 'zod';
import type { Scope } from '#shared/model/scopes';

/**
 * How often one caller may call a route: a user, or a network address for requests without valid credentials. Limits below
 * 20 a minute are exact across all instances of a function (docs/decisions/rate-limits.md).
 */
export interface Throttle {
  readonly requestsPerMinute: number;
}
export const perMinute = (requests: number): Throttle => ({ requestsPerMinute: requests });

/**
 * What a route requires of its caller: nothing (`public`); a scope; a login or an API key with any scopes (`self`); or a
 * login (`session`), for credentials, sessions, and whatever would exceed the scopes of a key. A route without a scope is
 * `session` unless every key may use it.
 */
export type RouteScope = Scope | 'public' | 'self' | 'session';

/**
 * A route's declaration: the router, the HTTP API, the local gateway and the OpenAPI document are all made from it.
 * It consists of schemas only, so it is cheap to import.
 */
export interface Route<
  Params extends ZodObject = ZodObject,
  Query extends ZodObject = ZodObject,
  Body extends ZodType = ZodType,
  Scoped extends RouteScope = RouteScope,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** In API Gateway's syntax: `/api/alerts/{alertId}`. */
  readonly path: `/${string}`;
  readonly scope: Scoped;
  readonly throttle: Throttle;
  /**
   * Requires a session that was confirmed in the last 10 minutes, which no API key has: always, or where the body has one of
   * these fields. For what outlives a session or reaches the outside.
   */
  readonly confirmation?: true | readonly string[];
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Schemas of the answers by status code; null where there is no body. */
  readonly response: { readonly [status: number]: ZodType | null };
  /** Media type of the answers where it is not JSON. */
  readonly produces?: string;
  /** Accepts an `Idempotency-Key`: the same key and body get the same answer without a second effect. */
  readonly idempotent?: boolean;
}

export const route = <
  const Scoped extends RouteScope,
  Params extends ZodObject = ZodObject<Record<never, never>>,
  Query extends ZodObject = ZodObject<Record<never, never>>,
  Body extends ZodType = ZodType<undefined>,
>(
  declaration: Route<Params, Query, Body, Scoped>,
): Route<Params, Query, Body, Scoped> => declaration;

/** API Gateway's name for a route: `GET /api/alerts/{alertId}`. */
export const routeKey = (route: Pick<Route, 'method' | 'path'>): string => `${route.method} ${route.path}`;

/** The methods that a declaration serves: what GET serves, HEAD serves without the body (RFC 9110, section 9.1). */
export const methodsOf = ({ method }: Pick<Route, 'method'>): readonly (Route['method'] | 'HEAD')[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method];
