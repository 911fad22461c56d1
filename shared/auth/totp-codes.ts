import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import { seal, unseal } from '#shared/crypto/sealed';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { allOf, equals, type Item, type Key, keyOf, type Update } from '#shared/platform/table';
import { recoveryCodeHash } from './recovery-codes.ts';
import { totpStep } from './totp.ts';

/** A user's second factor. */
export interface StoredTotp extends Item {
  readonly kind: 'totp';
  readonly sealed: string;
  /** The step of the last used code: only codes of later steps are valid. */
  readonly lastStep: number;
  /** Hashes of the unused recovery codes. */
  readonly recoveryCodes: { readonly [hash: string]: true };
}

/** A correct code, and the write that marks it as used. */
export interface CodeProof {
  readonly method: 'totp' | 'recovery-code';
  readonly write: Update;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'random' | 'clock'>;

/** The codes of second factors: those from an authenticator app, and recovery codes. */
export class TotpCodes {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Checks a code; undefined if it is wrong or was used. */
  async prove(userId: UserId, text: string): Promise<CodeProof | undefined> {
    const { table, clock } = this.#ports;
    const key = totpKey(userId);
    const stored = await table.get<StoredTotp>(key, { consistent: true });
    if (stored === undefined) return undefined;
    const isSame = equals('sealed', stored.sealed);
    const code = text.replaceAll(/\s/g, '');
    const hash = recoveryCodeHash(code);
    if (stored.recoveryCodes[hash] !== undefined) {
      const path = `recoveryCodes.${hash}`;
      const isUnused = allOf(isSame, { path, is: 'present' });
      return { method: 'recovery-code', write: { update: key, changes: { remove: [path] }, if: isUnused } };
    }
    const step = totpStep(await this.unseal(userId, stored.sealed), code, clock.now());
    if (step === undefined || step <= stored.lastStep) return undefined;
    const isUnused = allOf(isSame, { path: 'lastStep', is: '<', value: step });
    return { method: 'totp', write: { update: key, changes: { set: { lastStep: step } }, if: isUnused } };
  }

  async seal(userId: UserId, secret: string): Promise<string> {
    return seal(await this.#key(), placeOf(userId), secret, this.#ports.random);
  }

  /** @throws {Error} it was changed, or the sealing secret was replaced */
  async unseal(userId: UserId, sealed: string): Promise<string> {
    return unseal(await this.#key(), placeOf(userId), sealed);
  }

  async #key(): Promise<Buffer> {
    const { secrets, random } = this.#ports;
    return derivedKey(await keyMaterial(secrets, random, 'user-sealing'), 'totp');
  }
}

export const totpKey = (userId: UserId): Key => ({ pk: keyOf('USER', userId), sk: 'TOTP' });

/** A sealed secret cannot be opened in the item of another user. */
const placeOf = (userId: UserId): string => `totp/${userId}`;
