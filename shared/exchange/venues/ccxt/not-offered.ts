import { regionBlock } from './errors.ts';

/** An account has no wallet of a kind, or the venue does not offer it to this user or key. The message is for people. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered';
}

/** Names of ccxt's errors that say the same. */
const names: ReadonlySet<string> = new Set(['NotSupported', 'RestrictedLocation', 'AccountNotEnabled']);
/** As ccxt quotes a status: `binance GET https://… 403 Forbidden …`. */
const forbidden = /^\S+ [A-Z]+ \S+ 403 /;

/** Whether an error of ccxt says that this user has no such product. @param words the venue's own, if it has some */
export const isNotOffered = (error: unknown, words: RegExp | undefined): boolean =>
  error instanceof Error &&
  (names.has(error.name) ||
    regionBlock.test(error.message) ||
    forbidden.test(error.message) ||
    words?.test(error.message) === true);
