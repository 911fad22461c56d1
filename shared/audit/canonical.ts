/** A value that has a canonical form. */
export type Canonical =
  | string
  | number
  | boolean
  | null
  | readonly Canonical[]
  | { readonly [name: string]: Canonical | undefined };

/**
 * The JSON Canonicalization Scheme (RFC 8785): one text for a value, whatever the order of its properties. The scheme
 * defines strings and numbers by reference to ECMAScript, so `JSON.stringify` writes them; what remains is to sort
 * property names by UTF-16 code units, as JavaScript sorts, and to refuse values without a unique text.
 * @throws {TypeError} a number is not finite, or a string contains a lone surrogate
 */
export const canonical = (value: Canonical): string => {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const names = Object.keys(value).toSorted();
  const members = names.flatMap((name) => {
    const member = value[name];
    return member === undefined ? [] : `${text(name)}:${canonical(member)}`;
  });
  return `{${members.join(',')}}`;
};

const isList = (value: Canonical): value is readonly Canonical[] => Array.isArray(value);

const text = (value: string): string => {
  if (!value.isWellFormed()) throw new TypeError('A lone surrogate cannot be written as JSON');
  return JSON.stringify(value);
};
