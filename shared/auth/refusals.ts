import { DomainError } from '#shared/platform/errors';

/** The mail address or the password is wrong; the caller does not learn which. */
export class InvalidCredentials extends DomainError {
  readonly code = 'invalid-credentials';
  override readonly name = 'InvalidCredentials';
}

/** The password is correct, and the user has a second factor. */
export class TotpRequired extends DomainError {
  readonly code = 'totp-required';
  override readonly name = 'TotpRequired';
}

/** The password is correct, and the code of the second factor is wrong or was used. */
export class InvalidTotp extends DomainError {
  readonly code = 'invalid-totp';
  override readonly name = 'InvalidTotp';
}

export const wrongCode = () => new InvalidTotp('The code is wrong or was already used; wait for the next one.');
