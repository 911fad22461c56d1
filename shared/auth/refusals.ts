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

/** The session of the request has ended, which a cache of the gateway need not know yet. */
export class SessionEnded extends DomainError {
  readonly code = 'unauthenticated';
  override readonly name = 'SessionEnded';
  constructor() {
    super('The session of the access token has ended; log in again.');
  }
}

/**
 * A password or code that a user has to submit again in a session is wrong or missing. It is not a failed authentication: the
 * session goes on, and new tokens would not help.
 */
export class WrongCredentials extends DomainError {
  readonly code = 'wrong-credentials';
  override readonly name = 'WrongCredentials';
  /** The field of the request. */
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

const codeIsWrong = 'The code is wrong or was already used; wait for the next one.';

/** At a login. */
export const wrongCode = () => new InvalidTotp(codeIsWrong);

/** In a session. */
export const wrongCodeAgain = () => new WrongCredentials('totp', codeIsWrong);
