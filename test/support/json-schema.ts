/** JSON Schemas of what routes take: walked, and turned into values that fit them. */
import * as fc from 'fast-check';
import * as z from 'zod';
import type { Route } from '#functions/http/route';

export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** What a schema takes, with every reference replaced by what it leads to. */
export const inputSchemaOf = (schema: z.ZodType): JsonSchema => {
  const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const resolved = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(resolved);
    if (typeof part !== 'object' || part === null) return part;
    const { $ref, ...own } = part as JsonSchema;
    const target = $ref === undefined ? {} : $defs[$ref.replace('#/$defs/', '')];
    return Object.fromEntries(Object.entries({ ...target, ...own }).map(([name, value]) => [name, resolved(value)]));
  };
  return resolved(root) as JsonSchema;
};

/** The schemas of a route's inputs, by their part of the request. */
export const inputsOf = ({ params, query, body }: Route): [where: string, schema: JsonSchema][] =>
  Object.entries({ params, query, body }).flatMap(([where, schema]) =>
    schema === undefined ? [] : [[where, inputSchemaOf(schema)] as [string, JsonSchema]],
  );

/** Every schema within a schema, itself included, by its path. */
export const partsOf = (schema: JsonSchema, path: string): [path: string, part: JsonSchema][] => [
  [path, schema],
  ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) => partsOf(part, `${path}.${name}`)),
  ...(schema.items === undefined ? [] : partsOf(schema.items, `${path}[]`)),
  ...(typeof schema.additionalProperties === 'object' ? partsOf(schema.additionalProperties, `${path}.*`) : []),
  ...(schema.propertyNames === undefined ? [] : partsOf(schema.propertyNames, `${path}.<name>`)),
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((part) => partsOf(part, path)),
];

const textOf = ({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> => {
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri') return fc.webUrl();
  if (format === 'email') return fc.emailAddress();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  return fc.string({ unit: 'grapheme', minLength, maxLength });
};

/** Values that fit a schema, as far as a JSON Schema can say it. */
export const valueFor = (schema: JsonSchema): fc.Arbitrary<unknown> => {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(valueFor));
  switch (schema.type) {
    case 'object': {
      const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
      if (typeof additionalProperties === 'object') {
        return fc.dictionary(textOf(propertyNames ?? {}), valueFor(additionalProperties), { maxKeys: 4 });
      }
      const fields = Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, valueFor(part)]));
      return fc.record(fields, { requiredKeys: [...required], noNullPrototype: true });
    }
    case 'array':
      return fc.array(valueFor(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      });
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
        max: Math.min(schema.maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      });
    case 'number':
      return fc.double({ noNaN: true, min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9 });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
};
