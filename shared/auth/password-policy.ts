import { InvalidInput } from '#shared/platform/errors';
import { HashedSet } from './hashed-set.ts';

/** The owner of a password: what everybody knows about them is not a secret. */
interface Owner {
  readonly email: string;
  readonly name?: string | null | undefined;
}

let commonPasswords: Promise<HashedSet> | undefined;

/** Loaded when the first password is checked: it is large, and most instances of a function never need it. */
const loadCommonPasswords = async (): Promise<HashedSet> => {
  const { COMMON_PASSWORDS: list } = await import('./common-passwords.ts');
  return new HashedSet(Buffer.from(list.encoded, 'base64'), list.count);
};

/**
 * Why a password is too easy to guess, or undefined if it is not (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 5.0, 6.2.4): it is
 * common, repeats itself, is a sequence, or is publicly known about its owner. Its kinds of characters do not matter. One in
 * 16,000 good passwords is mistaken for a common one ({@link HashedSet}).
 */
export const passwordWeakness = async (password: string, owner: Owner): Promise<string | undefined> => {
  const plain = password.toLowerCase();
  commonPasswords ??= loadCommonPasswords();
  if ((await commonPasswords).has(plain)) return 'is one of the most common passwords';
  const characters = [...plain];
  if (isRepetition(characters)) return 'must not be the same again and again';
  if (isSequence(characters)) return 'must not be a sequence of characters';
  const [mailbox = ''] = owner.email.split('@');
  const known = [owner.email, mailbox, owner.name ?? ''].map((text) => text.toLowerCase());
  return known.includes(plain) ? 'must not be your name or your mail address' : undefined;
};

/** @param path the field of the password @throws {InvalidInput} it is too easy to guess */
export const checkNewPassword = async (password: string, owner: Owner, path: string): Promise<void> => {
  const weakness = await passwordWeakness(password, owner);
  if (weakness !== undefined) throw new InvalidInput(path, weakness);
};

const isRepetition = (characters: readonly string[]): boolean => {
  for (let unit = 1; unit <= characters.length / 2; unit++) {
    if (characters.every((character, index) => character === characters[index % unit])) return true;
  }
  return false;
};

const ladders = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm'];

const isSequence = (characters: readonly string[]): boolean =>
  ladders.some((ladder) =>
    characters.every(
      (character, index) =>
        ladder.includes(character) &&
        (index === 0 || ladder[(ladder.indexOf(characters[index - 1] ?? '') + 1) % ladder.length] === character),
    ),
  );
