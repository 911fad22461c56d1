/** Fields of answers that are read without ccxt's help. `unknown`: they come from a venue. */
import { VenueError } from '#shared/exchange/errors';

/** A field of an answer, down a path of names. */
export const at = (answer: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined,
    answer,
  );

/** @returns nothing where there is no list */
export const listAt = (answer: unknown, ...names: readonly string[]): readonly unknown[] => {
  const value = at(answer, ...names);
  return Array.isArray(value) ? value : [];
};

export const isList =
  (...names: readonly string[]) =>
  (answer: unknown): boolean =>
    Array.isArray(at(answer, ...names));

export const isRecord =
  (...names: readonly string[]) =>
  (answer: unknown): boolean => {
    const value = at(answer, ...names);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  };

/** @throws {VenueError} `retryable`: there is no truth value */
export const flagAt = (venue: string, answer: unknown, ...names: readonly string[]): boolean => {
  const value = at(answer, ...names);
  if (typeof value === 'boolean') return value;
  throw garbled(venue);
};

export const garbled = (venue: string): VenueError =>
  new VenueError(venue, 'retryable', `${venue} gave an answer that could not be understood`);
