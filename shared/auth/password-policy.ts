import { InvalidInput } from '#shared/platform/errors';
import { COMMON_PASSWORDS } from './common-passwords.ts';

/** Whose password it is: what everybody knows of them is no secret. */
interface Owner {
  readonly email: string;
  readonly name?: string | null | undefined;
}

/**
 * Why a password is too easy to guess, or undefined where it is not (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 2.1.7): one that
 * leaked often, repeats itself, counts, or is what everybody knows of its owner. Which characters it has does not matter.
 */
export const passwordWeakness = (password: string, owner: Owner): string | undefined => {
  const plain = password.toLowerCase();
  if (COMMON_PASSWORDS.has(plain)) return 'is one of the most common passwords';
  const characters = [...plain];
  if (isRepetition(characters)) return 'must not be the same again and again';
  if (isSequence(characters)) return 'must not be a sequence of characters';
  const [mailbox = ''] = owner.email.split('@');
  const known = [owner.email, mailbox, owner.name ?? ''].map((text) => text.toLowerCase());
  return known.includes(plain) ? 'must not be your name or your mail address' : undefined;
};

/** @param path the field of the password @throws {InvalidInput} it is too easy to guess */
export const checkNewPassword = (password: string, owner: Owner, path: string): void => {
  const weakness = passwordWeakness(password, owner);
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
