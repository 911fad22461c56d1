import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { DomainError } from '#shared/platform/errors';
import type { Secrets } from '#shared/platform/ports';
import { createFileDurably, replaceFileDurably } from './durable-file.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** 96 bits, for which GCM is made; NIST SP 800-38D allows 2^32 random ones under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Limits of Secrets Manager. */
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const VALUE_BYTES_MAX = 65_536;
/** No secret has this name, because it has a space. Its sealed value shows whether the key is the right one. */
const KEY_CHECK = 'key check';

const Sealed = z.object({ name: z.string(), nonce: z.base64(), tag: z.base64(), text: z.base64() });
type Sealed = z.infer<typeof Sealed>;
const SecretsFile = z.object({ format: z.literal(1), check: Sealed, secrets: z.array(Sealed) });

/** The secrets can't be read: the key is missing, wrong or damaged, or the file was changed. */
export class SecretsUnreadable extends DomainError {
  readonly code = 'secrets-unreadable';
  override readonly name = 'SecretsUnreadable';
}

interface Vault {
  readonly key: Buffer;
  readonly sealed: Map<string, Sealed>;
}

/**
 * Secrets in a file of the data folder, each encrypted with AES-256-GCM under a key in a separate file.
 * One process at a time may use it, the one that has the folder's database open.
 * Every method throws {@link SecretsUnreadable} where the files don't fit together.
 */
export class FileSecrets implements Secrets {
  readonly #folder: string;
  #vault: Promise<Vault> | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(name: string): Promise<string | undefined> {
    checkName(name);
    const { key, sealed } = await this.#opened();
    const entry = sealed.get(name);
    return entry === undefined ? undefined : unseal(key, entry);
  }

  async put(name: string, value: string): Promise<void> {
    checkName(name);
    checkValue(value);
    await this.#inTurn(async (vault) => this.#replace(vault, [...without(vault, name), seal(vault.key, name, value)]));
  }

  async create(name: string, value: string): Promise<string> {
    checkName(name);
    checkValue(value);
    return this.#inTurn(async (vault) => {
      const entry = vault.sealed.get(name);
      if (entry !== undefined) return unseal(vault.key, entry);
      await this.#replace(vault, [...without(vault, name), seal(vault.key, name, value)]);
      return value;
    });
  }

  async delete(name: string): Promise<void> {
    checkName(name);
    await this.#inTurn(async (vault) => {
      if (vault.sealed.has(name)) await this.#replace(vault, without(vault, name));
    });
  }

  /** Writes follow one another, also after one that failed. */
  #inTurn<T>(write: (vault: Vault) => Promise<T>): Promise<T> {
    const made = this.#lastWrite.then(async () => write(await this.#opened()));
    this.#lastWrite = made.catch(() => undefined);
    return made;
  }

  async #replace({ key, sealed }: Vault, secrets: readonly Sealed[]): Promise<void> {
    const file: z.infer<typeof SecretsFile> = {
      format: 1,
      check: seal(key, KEY_CHECK, KEY_CHECK),
      secrets: [...secrets],
    };
    await replaceFileDurably(this.#folder, 'secrets.json', `${JSON.stringify(file, null, 2)}\n`);
    sealed.clear();
    for (const entry of secrets) sealed.set(entry.name, entry);
  }

  #opened(): Promise<Vault> {
    this.#vault ??= this.#open().catch((error: unknown) => {
      this.#vault = undefined;
      throw error;
    });
    return this.#vault;
  }

  async #open(): Promise<Vault> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const text = await readIfPresent(join(this.#folder, 'secrets.json'));
    let key = await readIfPresent(join(this.#folder, 'secrets.key'));
    if (text === undefined) {
      key ??= await createFileDurably(this.#folder, 'secrets.key', randomBytes(KEY_BYTES));
      return { key: checkedKey(key), sealed: new Map() };
    }
    if (key === undefined) throw new SecretsUnreadable('The key file secrets.key of secrets.json is missing');
    const { check, secrets } = parsed(text);
    unseal(checkedKey(key), check);
    return { key, sealed: new Map(secrets.map((entry) => [entry.name, entry])) };
  }
}

function seal(key: Buffer, name: string, value: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return {
    name,
    nonce: nonce.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    text: text.toString('base64'),
  };
}

function unseal(key: Buffer, { name, nonce, tag, text }: Sealed): string {
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64'), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(Buffer.from(tag, 'base64'));
    return decipher.update(text, 'base64', 'utf8') + decipher.final('utf8');
  } catch {
    throw new SecretsUnreadable('secrets.json does not fit secrets.key: one of them is damaged or from elsewhere');
  }
}

function checkedKey(key: Buffer): Buffer {
  if (key.length !== KEY_BYTES)
    throw new SecretsUnreadable(`The key file secrets.key is damaged: not ${KEY_BYTES} bytes`);
  return key;
}

/** The parser's own error would quote the file. */
function parsed(text: Buffer): z.infer<typeof SecretsFile> {
  try {
    return SecretsFile.parse(JSON.parse(text.toString()));
  } catch {
    throw new SecretsUnreadable('secrets.json is damaged');
  }
}

function without({ sealed }: Vault, name: string): Sealed[] {
  return [...sealed.values()].filter((entry) => entry.name !== name);
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new RangeError('The name of a secret is 1..512 letters, digits or /_+=.@-');
}

function checkValue(value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes < 1 || bytes > VALUE_BYTES_MAX) throw new RangeError(`A secret has 1..${VALUE_BYTES_MAX} bytes`);
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
