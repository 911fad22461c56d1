import { type Argon2Parameters, argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '#shared/platform/ports';

/** Argon2id with the minimum parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane. */
const memoryKib = 19_456;
const passes = 2;
const parallelism = 1;
const saltBytes = 16;
const tagBytes = 32;

const derive = promisify(
  (algorithm: 'argon2id', parameters: Argon2Parameters, done: (error: Error | null, tag: Buffer) => void) =>
    argon2(algorithm, parameters, done),
);

/** The hash of a password as a PHC string, which includes the parameters, so that they can be raised later. */
export const hashPassword = async (password: string, random: Random): Promise<string> => {
  const salt = Buffer.from(random.bytes(saltBytes));
  const tag = await derive('argon2id', {
    message: password,
    nonce: salt,
    memory: memoryKib,
    passes,
    parallelism,
    tagLength: tagBytes,
  });
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
};

/** Whether a hash was made with other parameters than the current ones. @throws {TypeError} it is not one of our PHC strings */
export const isOutdated = (hash: string): boolean => {
  const { m, t, p } = partsOf(hash);
  return Number(m) !== memoryKib || Number(t) !== passes || Number(p) !== parallelism;
};

/** Compares in constant time. Without a hash (unknown user) it takes as long and returns false. */
export const passwordMatches = async (password: string, hash: string | undefined): Promise<boolean> => {
  const { m, t, p, salt, tag } = partsOf(hash ?? NOBODY);
  const expected = Buffer.from(tag, 'base64');
  const actual = await derive('argon2id', {
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    tagLength: expected.length,
  });
  return timingSafeEqual(actual, expected) && hash !== undefined;
};

const partsOf = (hash: string) => {
  const match = PHC.exec(hash);
  if (match?.groups === undefined) throw new TypeError('The stored password hash is not a PHC string');
  return match.groups as Record<'m' | 't' | 'p' | 'salt' | 'tag', string>;
};

const PHC = /^\$argon2id\$v=19\$m=(?<m>\d+),t=(?<t>\d+),p=(?<p>\d+)\$(?<salt>[\w+/]+)\$(?<tag>[\w+/]+)$/;
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
const NOBODY = `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(Buffer.alloc(saltBytes))}$${unpadded(Buffer.alloc(tagBytes))}`;
