/** What has a canonical form. */
export type Canonical =
  | string
  | number
  | boolean
  | null
  | readonly Canonical[]
  | { readonly [name: string]: Canonical | undefined };

/**
 * The one text of a value, whatever the order of its names: the JSON Canonicalization Scheme (RFC 8785). JavaScript's
 * own JSON writes strings and numbers as the scheme does, which took them from ECMAScript; what is left is to sort
 * names by their UTF-16 code units, as JavaScript sorts, and to refuse what JSON has no one text for.
 * @throws {TypeError} a number is not finite, or a text holds half a surrogate pair
 */
export const canonical = (value: Canonical): string => {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} has no form in JSON`);
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
  if (!value.isWellFormed()) throw new TypeError('Half a surrogate pair is no text');
  return JSON.stringify(value);
};
