import { describe, expect, it } from 'vitest';
import { routes } from '#functions/api/routes';
import { routeKey } from '#functions/http/route';
import { inputsOf, type JsonSchema, partsOf } from '../../support/json-schema.ts';

const parts = routes.flatMap((route) =>
  inputsOf(route).flatMap(([where, schema]) =>
    partsOf(schema, `${routeKey(route)} ${where}`).map(([path, part]) => ({ path, part })),
  ),
);
const ofType = (type: string) => parts.filter(({ part }) => part.type === type);

/** Formats whose texts have a length of their own. */
const shortFormats = ['uuid'];
const isBoundedPattern = (pattern = ''): boolean =>
  /^\^.*\$$/s.test(pattern) && !/[*+]|\{\d+,\}/.test(pattern.replaceAll(/\\.|\[(?:\\.|[^\]])*\]/g, 'x'));
const isBoundedText = ({ maxLength, pattern, format, enum: choices, const: only }: JsonSchema): boolean =>
  maxLength !== undefined ||
  choices !== undefined ||
  only !== undefined ||
  shortFormats.includes(format ?? '') ||
  isBoundedPattern(pattern);

const paths = (found: readonly { readonly path: string }[]) => found.map(({ path }) => path);

describe('what routes take', () => {
  it('is known to these tests', () => {
    const known = ['POST /api/alerts/create body.condition.value', 'GET /api/alerts/list query.limit'];
    expect(paths(parts)).toEqual(expect.arrayContaining(known));
  });

  it('are texts of a bounded length', () => {
    expect(paths(ofType('string').filter(({ part }) => !isBoundedText(part)))).toEqual([]);
  });

  it('are lists of a bounded length', () => {
    expect(paths(ofType('array').filter(({ part }) => part.maxItems === undefined))).toEqual([]);
  });

  it('are numbers between bounds', () => {
    const numbers = [...ofType('integer'), ...ofType('number')];
    const isBounded = ({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): boolean =>
      (minimum ?? exclusiveMinimum) !== undefined && (maximum ?? exclusiveMaximum) !== undefined;
    expect(paths(numbers.filter(({ part }) => !isBounded(part)))).toEqual([]);
  });

  it('are objects without fields that nobody declared', () => {
    // A record names what it takes by the schema of its names.
    const isStrict = ({ additionalProperties, propertyNames }: JsonSchema): boolean =>
      additionalProperties === false || (typeof additionalProperties === 'object' && propertyNames !== undefined);
    expect(paths(ofType('object').filter(({ part }) => !isStrict(part)))).toEqual([]);
  });

  it('are values whose schema says what they are', () => {
    const isSaid = ({ type, enum: choices, const: only, anyOf, oneOf, allOf }: JsonSchema): boolean =>
      [type, choices, only, anyOf, oneOf, allOf].some((said) => said !== undefined);
    expect(paths(parts.filter(({ part }) => !isSaid(part)))).toEqual([]);
  });
});

describe('how often routes may be called', () => {
  it('is at most once a second for what changes something and needs no account', () => {
    const open = routes.filter(({ scope, method }) => scope === 'public' && method !== 'GET');
    expect(open.filter(({ throttle }) => throttle.requestsPerMinute > 60).map(routeKey)).toEqual([]);
  });
});
