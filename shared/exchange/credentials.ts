import { inspect } from 'node:util';

const shown = '[secret]';

/** What a venue's key consists of; which parts it needs is the venue's matter. */
export interface CredentialParts {
  readonly apiKey: string;
  readonly secret: string;
  readonly password?: string;
}

/**
 * The API key of an account. Its parts are in no property, so that no log, no JSON and no error can show them:
 * only {@link Credentials.reveal} does.
 */
export class Credentials {
  readonly #parts: CredentialParts;

  constructor({ apiKey, secret, password }: CredentialParts) {
    this.#parts = { apiKey, secret, ...(password === undefined ? {} : { password }) };
  }

  /** For the venue's client and the vault alone. */
  reveal(): CredentialParts {
    return this.#parts;
  }

  /** A text of the venue without what it may quote of the key. */
  hide(text: string): string {
    const { apiKey, secret, password } = this.#parts;
    return [apiKey, secret, password].reduce<string>(
      (hidden, part) => (part === undefined ? hidden : hidden.replaceAll(part, '…')),
      text,
    );
  }

  toJSON(): string {
    return shown;
  }

  toString(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
