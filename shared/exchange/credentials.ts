import { inspect } from 'node:util';

const shown = '[secret]';

/** The parts of a venue's key; which of them a venue needs is listed in its profile. */
export interface CredentialParts {
  readonly apiKey: string;
  readonly secret: string;
  readonly password?: string;
}

/**
 * The API key of an account. Its parts are not in properties, so no log, JSON or error can show them; only
 * {@link Credentials.reveal} returns them, and {@link Credentials.guarded} keeps them out of a client's errors.
 */
export class Credentials {
  readonly #parts: CredentialParts;

  constructor({ apiKey, secret, password }: CredentialParts) {
    this.#parts = { apiKey, secret, ...(password === undefined ? {} : { password }) };
  }

  /** Only for the venue's client and the vault. */
  reveal(): CredentialParts {
    return this.#parts;
  }

  /** A text from the venue, without any part of the key that it quotes. */
  hide(text: string): string {
    const { apiKey, secret, password } = this.#parts;
    return [apiKey, secret, password].reduce<string>(
      (hidden, part) => (part === undefined ? hidden : hidden.replaceAll(part, '…')),
      text,
    );
  }

  /** A client opened with this key, whose errors do not quote it: not in a message, a stack or a cause. */
  guarded<T extends object>(client: T): T {
    const guard =
      (call: (...args: unknown[]) => unknown) =>
      (...args: unknown[]): unknown => {
        try {
          const result = Reflect.apply(call, client, args);
          return result instanceof Promise ? result.catch((error: unknown) => this.#fail(error)) : result;
        } catch (error) {
          return this.#fail(error);
        }
      };
    return new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? guard(member as (...args: unknown[]) => unknown) : member;
      },
    });
  }

  #fail(error: unknown): never {
    const seen = new Set<Error>();
    for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
      seen.add(one);
      one.message = this.hide(one.message);
      if (one.stack !== undefined) one.stack = this.hide(one.stack);
    }
    throw error;
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
