import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Random, Secrets } from '#shared/platform/ports';
import { type Item, keyOf, type Table } from '#shared/platform/table';

/** Where the public halves of the signing keys stand, for those who only check tokens. */
const publicKeysAt = { pk: keyOf('SYSTEM', 'AUTH'), sk: 'JWKS' };

interface PublicKeys extends Item {
  readonly kind: 'jwks';
  /** JSON Web Keys by key id. */
  readonly keys: Readonly<Record<string, { readonly kty: string; readonly crv: string; readonly x: string }>>;
}

export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/**
 * Key material of a name: on AWS the stack made it, on one machine it is made at first use.
 * Keys of different purposes are derived from it, never used as they are.
 */
export const keyMaterial = async (secrets: Secrets, random: Random, name: string): Promise<string> =>
  (await secrets.get(name)) ?? (await secrets.create(name, Buffer.from(random.bytes(48)).toString('base64url')));

/** 32 bytes for one purpose out of key material (HKDF, RFC 5869). */
export const derivedKey = (material: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', material, '', `alphapulse/${purpose}`, 32));

/** The Ed25519 key that signs tokens; its public half is published on the way. */
export const openSigningKey = async (secrets: Secrets, random: Random, table: Table): Promise<SigningKey> => {
  const seed = derivedKey(await keyMaterial(secrets, random, 'token-signing'), 'token-signing/ed25519');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  const { kty = '', crv = '', x = '' } = createPublicKey(key).export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const published = await table.get<PublicKeys>(publicKeysAt, { consistent: true });
  if (published?.keys[kid] === undefined) {
    await table.put({ ...publicKeysAt, kind: 'jwks', keys: { ...published?.keys, [kid]: { kty, crv, x } } });
  }
  return { kid, key };
};

/** The public keys that tokens may be signed with, by key id. */
export const publicKeys = async (table: Table): Promise<ReadonlyMap<string, KeyObject>> => {
  const stored = await table.get<PublicKeys>(publicKeysAt, { consistent: true });
  return new Map(
    Object.entries(stored?.keys ?? {}).map(([kid, jwk]) => [kid, createPublicKey({ key: jwk, format: 'jwk' })]),
  );
};

/** What stands before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
