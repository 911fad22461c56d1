import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { DomainError } from '../errors.ts';
import type { Clock, Secrets } from '../ports.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf } from './failures.ts';

const cacheMs = 60_000;
const cachedMax = 500;
const recoveryDays = 7;

export const secretsManagerClient = (own: SecretsManagerClientConfig = {}) =>
  new SecretsManagerClient({ ...CLIENT_OPTIONS, ...own });

/**
 * Secrets in Secrets Manager, under a prefix. A deleted secret can be recovered for a week by an operator; until then its name
 * is taken and can't be written, so that nothing replaces what the operator may want back.
 */
export class SecretsManagerSecrets implements Secrets {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #cache = new Map<string, { readonly value: string; readonly until: number }>();

  constructor(options: { readonly client: SecretsManagerClient; readonly prefix: string; readonly clock: Clock }) {
    this.#client = options.client;
    this.#prefix = options.prefix;
    this.#clock = options.clock;
  }

  async get(name: string, { fresh = false } = {}): Promise<string | undefined> {
    const cached = this.#cache.get(name);
    if (!fresh && cached !== undefined && this.#clock.now() < cached.until) return cached.value;
    return this.#read(name).catch(unlessGone);
  }

  async put(name: string, value: string): Promise<void> {
    const SecretId = this.#idOf(name);
    try {
      await this.#client.send(new PutSecretValueCommand({ SecretId, SecretString: value })).catch(refused(SecretId));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#create(name, value);
    }
    this.#remember(name, value);
  }

  async create(name: string, value: string): Promise<string> {
    try {
      await this.#create(name, value);
    } catch (error) {
      if (nameOf(error) !== 'ResourceExistsException') throw error;
      return this.#read(name);
    }
    this.#remember(name, value);
    return value;
  }

  async delete(name: string): Promise<void> {
    const SecretId = this.#idOf(name);
    const command = new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: recoveryDays });
    await this.#client.send(command).catch(refused(SecretId)).catch(unlessGone);
    this.#cache.delete(name);
  }

  async #read(name: string): Promise<string> {
    this.#cache.delete(name);
    const SecretId = this.#idOf(name);
    const command = new GetSecretValueCommand({ SecretId });
    const { SecretString: value = '' } = await this.#client.send(command).catch(refused(SecretId));
    this.#remember(name, value);
    return value;
  }

  async #create(name: string, value: string): Promise<void> {
    const Name = this.#idOf(name);
    await this.#client.send(new CreateSecretCommand({ Name, SecretString: value })).catch(refused(Name));
  }

  #remember(name: string, value: string): void {
    this.#cache.delete(name);
    this.#cache.set(name, { value, until: this.#clock.now() + cacheMs });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > cachedMax && oldest !== undefined) this.#cache.delete(oldest);
  }

  #idOf(name: string): string {
    return `${this.#prefix}/${name}`;
  }
}

/**
 * Translates an error for the domain and names the secret. The client's own error is withheld: an
 * answer that could not be read shows in the message of its error.
 */
const refused =
  (secretId: string) =>
  (error: unknown): never => {
    const failure = failureOf('The secret store', error);
    if (failure instanceof DomainError) {
      delete failure.cause;
      throw failure;
    }
    const refusal = new Error(`The secret store refused the request for ${secretId}`);
    refusal.name = nameOf(error);
    throw refusal;
  };

const isMissing = (error: unknown): boolean => nameOf(error) === 'ResourceNotFoundException';

const isAwaitingDeletion = (error: unknown): boolean => nameOf(error) === 'InvalidRequestException';

const unlessGone = (error: unknown): undefined => {
  if (isMissing(error) || isAwaitingDeletion(error)) return undefined;
  throw error;
};
