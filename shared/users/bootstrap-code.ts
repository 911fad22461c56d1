import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '#shared/platform/config/config';
import { InvalidInput } from '#shared/platform/errors';

/**
 * Checks the code with which the owner of a fresh installation proves to be its owner: whoever registers first is admin, and
 * its address can be found by anybody. Installations without a code, as on one machine, need none.
 * @throws {InvalidInput} the code is missing or wrong
 */
export const checkBootstrapCode = ({ bootstrapCodeHash }: Config['users'], bootstrapCode: string | undefined): void => {
  if (bootstrapCodeHash === undefined) return;
  if (bootstrapCode === undefined) {
    throw new InvalidInput(
      'bootstrapCode',
      'is needed to register the first user; deploying the installation shows it',
    );
  }
  const given = createHash('sha256').update(bootstrapCode).digest();
  if (!timingSafeEqual(given, Buffer.from(bootstrapCodeHash, 'hex'))) {
    throw new InvalidInput('bootstrapCode', 'is not the code of this installation');
  }
};
