import { openApiDocument } from '#functions/http/openapi';
import type { Route } from '#functions/http/route';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
}

interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
const code = (text: string): string => (text === '' ? '' : `\`${text.replaceAll('`', "'")}\``);

/** A schema on one line, as a TypeScript reader would write it. */
const typeOf = (schema: Schema): string => {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? '';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(' & ');
  if (schema.items !== undefined)
    return `${/[ |]/.test(typeOf(schema.items)) ? `(${typeOf(schema.items)})` : typeOf(schema.items)}[]`;
  if (schema.properties !== undefined) return objectOf(schema);
  if (typeof schema.additionalProperties === 'object') return `{[name]: ${typeOf(schema.additionalProperties)}}`;
  return Array.isArray(schema.type) ? schema.type.join(' | ') : String(schema.type ?? 'any');
};

const objectOf = ({ properties = {}, required = [] }: Schema): string =>
  `{${Object.entries(properties)
    .map(([name, property]) => {
      const isNamed = property.items?.$ref !== undefined || property.$ref !== undefined;
      const nested = property.properties !== undefined || isNamed ? `: ${typeOf(property)}` : '';
      return `${name}${required.includes(name) ? '' : '?'}${nested}`;
    })
    .join(', ')}}`;

const contentOf = (content: Readonly<Record<string, { readonly schema: Schema }>> | undefined): string => {
  const [entry] = Object.entries(content ?? {});
  if (entry === undefined) return '';
  const [mediaType, { schema }] = entry;
  return mediaType === 'application/json' ? code(typeOf(schema)) : mediaType;
};

const requestOf = ({ parameters, requestBody }: Operation): string => {
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const header = parameters.filter((parameter) => parameter.in === 'header');
  return [
    query.length === 0 ? '' : code(`?${query.map(({ name, required }) => name + (required ? '' : '?')).join('&')}`),
    contentOf(requestBody?.content),
    ...header.map(({ name }) => code(name)),
  ]
    .filter((part) => part !== '')
    .join(' ');
};

const answersOf = ({ responses }: Operation): string =>
  Object.entries(responses)
    .filter(([status]) => status !== 'default')
    .map(([status, { content }]) => `${status} ${contentOf(content)}`.trim())
    .join(', ');

const schemaTable = (name: string, schema: Schema): string[] => {
  const lines = [`### ${name}`, ''];
  if (schema.description !== undefined) lines.push(schema.description, '');
  if (schema.properties === undefined) return [...lines, code(typeOf(schema)), ''];
  const { required = [] } = schema;
  return [
    ...lines,
    '| field | type | |',
    '|---|---|---|',
    ...Object.entries(schema.properties).map(
      ([field, property]) =>
        `| ${code(field + (required.includes(field) ? '' : '?'))} | ${cell(code(typeOf(property)))} | ${cell(property.description ?? '')} |`,
    ),
    '',
  ];
};

const confirmationOf = ({ confirmation }: Route): string => {
  if (confirmation === undefined) return '';
  return confirmation === true ? ', confirmed' : `, confirmed for ${confirmation.map(code).join(', ')}`;
};

/** The routes and schemas of the API as a Markdown page, made from the OpenAPI document. */
export const apiPage = (routes: readonly Route[]): string => {
  const { paths, components } = openApiDocument(routes, '0') as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const byPath = routes.toSorted((one, other) =>
    `${one.path} ${one.method}`.localeCompare(`${other.path} ${other.method}`),
  );
  const rows = byPath.map((route) => {
    const operation = paths[route.path]?.[route.method.toLowerCase()];
    if (operation === undefined) throw new Error(`${route.method} ${route.path} is not in the OpenAPI document`);
    const cells = [
      code(`${route.method} ${route.path}`),
      route.scope + confirmationOf(route),
      String(route.throttle.requestsPerMinute),
      operation.summary,
      requestOf(operation),
      answersOf(operation),
    ];
    return { tag: operation.tags[0] ?? '', line: `| ${cells.map(cell).join(' | ')} |` };
  });
  const groups = [...Map.groupBy(rows, ({ tag }) => tag)].toSorted(([one], [other]) => one.localeCompare(other));
  return [
    '# REST API',
    '',
    'Generated from the OpenAPI document by `npm run docs`; `GET /openapi.json` has every detail. `session` is a route for an',
    'access token only, `self` one for a token or any API key, `public` needs neither. The limit is requests per minute and caller.',
    '`confirmed` needs a session that was confirmed in the last 10 minutes: by its login, or by `POST /api/user/confirm`.',
    'Errors are problem documents (RFC 9457).',
    '',
    ...groups.flatMap(([tag, entries]) => [
      `## ${tag}`,
      '',
      '| route | scope | limit | what | request | answers |',
      '|---|---|---|---|---|---|',
      ...entries.map(({ line }) => line),
      '',
    ]),
    '## Schemas',
    '',
    ...Object.entries(components.schemas)
      .toSorted(([one], [other]) => one.localeCompare(other))
      .flatMap(([name, schema]) => schemaTable(name, schema)),
  ].join('\n');
};
