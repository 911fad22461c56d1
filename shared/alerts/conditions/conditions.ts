import * as z from 'zod';
import type { ConditionKind } from './condition.ts';
import { priceCondition } from './price.ts';

/** Every kind of condition. Schemas, types, validation, arming, messages and audit facts derive from this list. */
const kinds = [priceCondition] as const;

/** A condition of any kind, discriminated by its `type`. */
export type Condition = z.infer<(typeof kinds)[number]['schema']>;

type Option = z.core.$ZodTypeDiscriminable;

/** A schema of several, discriminated by `type`. A single one stays itself: a union would put a `oneOf` around it in OpenAPI. */
export const unionOf = <First extends Option, More extends readonly Option[]>(
  ...[first, ...more]: readonly [First, ...More]
): z.ZodType<z.output<First | More[number]>, z.input<First | More[number]>> =>
  (more.length === 0 ? first : z.discriminatedUnion('type', [first, ...more])) as never;

const [first, ...more] = kinds;
export const Condition = unionOf(first.schema, ...more.map(({ schema }) => schema));

/** That each kind takes conditions of its own type alone is given by the look-up. */
const kindByType = new Map<string, ConditionKind<Condition>>(
  kinds.map((kind) => [kind.type, kind as unknown as ConditionKind<Condition>]),
);

/** The kind of a condition. @throws {TypeError} a stored condition is of a kind that is not known here */
export const kindOf = ({ type }: Condition): ConditionKind<Condition> => {
  const kind = kindByType.get(type);
  if (kind === undefined) throw new TypeError(`There is no kind of condition ${type}`);
  return kind;
};
