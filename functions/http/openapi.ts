import * as z from 'zod';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

type JsonSchema = Record<string, unknown>;

/** A schema as JSON Schema. Schemas with an id are moved to the document's components and referenced there. */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output', components: JsonSchema): JsonSchema => {
  const json = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' });
  const {
    $schema: _,
    $defs,
    ...own
  } = JSON.parse(JSON.stringify(json).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/'));
  Object.assign(components, $defs);
  return own;
};

/** The OpenAPI 3.1 document of the routes, generated from the schemas that validate. */
export const openApiDocument = (routes: readonly Route[], version: string): Record<string, unknown> => {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas: JsonSchema = {};
  schemaOf(Problem, 'output', schemas);
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route, schemas);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'AlphaPulse', version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      },
      schemas,
    },
  };
};

const operationOf = (route: Route, schemas: JsonSchema) => ({
  operationId: operationIdOf(route),
  summary: route.summary,
  tags: [route.path.startsWith('/api/') ? route.path.split('/')[2] : 'system'],
  security: securityOf(route),
  ...(route.confirmation === undefined ? {} : { 'x-confirmation': route.confirmation }),
  parameters: [
    ...parametersOf(route.params, 'path', schemas),
    ...parametersOf(route.query, 'query', schemas),
    ...(route.idempotent ? [idempotencyKey] : []),
  ],
  ...(route.body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
        },
      }),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.response).map(([status, schema]) => [status, responseOf(schema, route, schemas)]),
    ),
    default: {
      description: 'Problem document (RFC 9457)',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  },
});

/** `getApiAlertsList` for `GET /api/alerts/list`. */
const operationIdOf = ({ method, path }: Route): string => {
  const camelCase = path.replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase());
  return method.toLowerCase() + camelCase.replaceAll(/\W/g, '');
};

const securityOf = ({ scope, confirmation }: Route): readonly JsonSchema[] => {
  if (scope === 'public') return [];
  if (scope === 'session') return [{ bearer: [] }];
  const scopes = scope === 'self' ? [] : [scope];
  // No API key has a confirmed session.
  return confirmation === true ? [{ bearer: scopes }] : [{ bearer: scopes }, { apiKey: scopes }];
};

const responseOf = (schema: z.ZodType | null, route: Route, schemas: JsonSchema) => ({
  description: route.summary,
  ...(schema === null
    ? {}
    : { content: { [route.produces ?? 'application/json']: { schema: schemaOf(schema, 'output', schemas) } } }),
});

const parametersOf = (schema: z.ZodObject | undefined, where: 'path' | 'query', schemas: JsonSchema) => {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(property.description === undefined ? {} : { description: property.description }),
    schema: property,
  }));
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'For 24 hours the same key and body get the same answer without a second effect',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
