import { createPublicKey, type KeyObject } from 'node:crypto';
import { equals, type Item, keyOf, type Table } from '#shared/platform/table';

/** Where the public halves of the signing keys are stored, for those who only verify tokens. */
const publishedAt = { pk: keyOf('SYSTEM', 'AUTH'), sk: 'JWKS' };

/** The public half of a key that signs tokens. */
export interface PublicKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
}

interface PublishedKey extends PublicKey {
  /** Epoch ms from which it may sign; until then it is only published. */
  readonly signsFrom: number;
  readonly [attribute: string]: string | number;
}

/** The published keys by key id. */
export type PublishedKeys = Readonly<Record<string, PublishedKey>>;

export interface StoredKeys extends Item {
  readonly kind: 'jwks';
  readonly keys: PublishedKeys;
  readonly version: number;
}

/** How long caches may keep the published keys. */
export const jwksMaxAgeSeconds = 300;

/** A JSON Web Key (RFC 7517) of Ed25519 (RFC 8037). */
export interface JsonWebKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/** The published keys, with the version that {@link publish} needs to change them; 0: nothing is published yet. */
export const readPublished = async (
  table: Table,
): Promise<{ readonly keys: PublishedKeys; readonly version: number }> => {
  const stored = await table.get<StoredKeys>(publishedAt, { consistent: true });
  return { keys: stored?.keys ?? {}, version: stored?.version ?? 0 };
};

/** @throws {ConditionFailed} the published keys have changed since this version */
export const publish = async (table: Table, keys: PublishedKeys, version: number): Promise<void> => {
  const item: StoredKeys = { ...publishedAt, kind: 'jwks', keys, version: version + 1 };
  await table.put(item, version === 0 ? { path: 'version', is: 'absent' } : equals('version', version));
};

/** The public keys that verify tokens, by key id. */
export const publicKeys = async (table: Table): Promise<ReadonlyMap<string, KeyObject>> => {
  const { keys } = await readPublished(table);
  return new Map(
    Object.entries(keys).map(([kid, { kty, crv, x }]) => [
      kid,
      createPublicKey({ key: { kty, crv, x }, format: 'jwk' }),
    ]),
  );
};

/** The published keys for those who verify tokens themselves. */
export const jsonWebKeys = async (table: Table): Promise<readonly JsonWebKey[]> => {
  const { keys } = await readPublished(table);
  return Object.entries(keys).map(([kid, { x }]) => ({
    kty: 'OKP',
    crv: 'Ed25519',
    x,
    kid,
    use: 'sig',
    alg: 'EdDSA',
  }));
};
