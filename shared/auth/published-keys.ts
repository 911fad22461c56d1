import { createPublicKey, type KeyObject } from 'node:crypto';
import { equals, type Item, keyOf, type Table } from '#shared/platform/table';

/** Where the public halves of the signing keys stand, for those who only check tokens. */
const publishedAt = { pk: keyOf('SYSTEM', 'AUTH'), sk: 'JWKS' };

/** The public half of a key that signs tokens. */
export interface PublicKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
}

interface PublishedKey extends PublicKey {
  /** Epoch ms from which on it may sign; until then it is only made known. */
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

/** What is published, with the version that {@link publish} needs to change it; 0 where nothing is. */
export const readPublished = async (
  table: Table,
): Promise<{ readonly keys: PublishedKeys; readonly version: number }> => {
  const stored = await table.get<StoredKeys>(publishedAt, { consistent: true });
  return { keys: stored?.keys ?? {}, version: stored?.version ?? 0 };
};

/** @throws {ConditionFailed} somebody else published since this version */
export const publish = async (table: Table, keys: PublishedKeys, version: number): Promise<void> => {
  const item: StoredKeys = { ...publishedAt, kind: 'jwks', keys, version: version + 1 };
  await table.put(item, version === 0 ? { path: 'version', is: 'absent' } : equals('version', version));
};

/** The public keys that tokens may be signed with, by key id. */
export const publicKeys = async (table: Table): Promise<ReadonlyMap<string, KeyObject>> => {
  const { keys } = await readPublished(table);
  return new Map(
    Object.entries(keys).map(([kid, { kty, crv, x }]) => [
      kid,
      createPublicKey({ key: { kty, crv, x }, format: 'jwk' }),
    ]),
  );
};

/** The published keys for everybody who checks tokens on their own. */
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
