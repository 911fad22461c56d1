import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import { bodyOf } from './body.ts';
import { HttpProblem } from './problem.ts';
import type { Route, RouteScope } from './route.ts';

/** Bounds on what an answer says about invalid input. */
const errorsMax = 20;
const errorLengthMax = 300;
const detailLengthMax = 1000;

/** Path parameters, query and body of a request, as the route's schemas output them. */
export interface ValidInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/**
 * The input of a request, validated by the schemas of its route.
 * @throws {HttpProblem} `not-found` for path parameters, `invalid-input` for the query, and see {@link bodyOf}
 */
export const validInput = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  route: Route<P, Q, B, RouteScope>,
  event: APIGatewayProxyEventV2,
): ValidInput<z.infer<P>, z.infer<Q>, z.infer<B>> => ({
  params: validParams(route.params, event.pathParameters ?? {}),
  query: route.query ? valid(route.query, 'query', event.queryStringParameters ?? {}) : ({} as z.infer<Q>),
  body: route.body ? valid(route.body, '', bodyOf(event)) : (undefined as z.infer<B>),
});

/** A path whose parameters cannot be those of any resource is a 404, not a 422. */
const validParams = <P extends z.ZodObject>(schema: P | undefined, params: unknown): z.infer<P> => {
  if (schema === undefined) return {} as z.infer<P>;
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw new HttpProblem('not-found', 'No resource has this id.');
  return parsed.data;
};

const valid = <S extends z.ZodType>(schema: S, location: 'query' | '', input: unknown): z.infer<S> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, errorsMax).map(({ path, message }) => ({
    path: [location, ...path.map(String)].filter(Boolean).join('.') || 'body',
    // A message may list every unknown field of the input.
    message: message.slice(0, errorLengthMax),
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem('invalid-input', detail.slice(0, detailLengthMax), { errors });
};
