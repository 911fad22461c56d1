import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { newRingKey, type RingKey, readRing, writeRing } from './key-ring.ts';
import { type PublishedKeys, publish, readPublished } from './published-keys.ts';
import { signingKeyOf, signsFromOf } from './signing-keys.ts';

/** How long a key signs before its successor is created. */
export const keyPeriodDays = 30;
/** How long a key is published before it signs: longer than any cache keeps the published keys. */
export const keyLeadSeconds = 3600;
/** How long a key is accepted after its successor began to sign: longer than its last token and every cache last. */
export const keyOverlapSeconds = 3600;
const attemptsMax = 5;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'secrets' | 'random' | 'table' | 'clock'>;

/**
 * Renews the keys that sign tokens. Each run does what is due in the state it finds, so the next run completes one that
 * was killed, and running twice is harmless: first the secret is changed, then the keys of the secret are published.
 */
export class KeyRotation {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @returns the ids of the keys that were published and withdrawn */
  async run(): Promise<{ readonly added: readonly string[]; readonly withdrawn: readonly string[] }> {
    const rotate = async () => {
      // Read before the secret: if another run publishes meanwhile, this one starts over.
      const { keys, version } = await readPublished(this.#ports.table);
      const ring = await this.#renewed(keys);
      const next = this.#publishedOf(ring, keys);
      const added = Object.keys(next).filter((kid) => !Object.hasOwn(keys, kid));
      const withdrawn = Object.keys(keys).filter((kid) => !Object.hasOwn(next, kid));
      if (added.length > 0 || withdrawn.length > 0) await publish(this.#ports.table, next, version);
      return { added, withdrawn };
    };
    return await optimistic(this.#ports, rotate, { attemptsMax, message: 'The signing keys change too often.' });
  }

  /** The ring without keys whose last tokens have expired, and with a new key once the newest has signed long enough. */
  async #renewed(published: PublishedKeys): Promise<readonly RingKey[]> {
    const ring = await readRing(this.#ports, { fresh: true });
    const now = this.#ports.clock.now();
    const isPast = (kid: string, ms: number) => signsFromOf(published, kid) + ms <= now;
    const settled = ring.findLastIndex(({ kid }) => isPast(kid, keyOverlapSeconds * 1000));
    const newest = ring.at(-1);
    const isDue = newest !== undefined && isPast(newest.kid, keyPeriodDays * dayMs);
    if (settled <= 0 && !isDue) return ring;
    const renewed = [...ring.slice(Math.max(settled, 0)), ...(isDue ? [await newRingKey(this.#ports)] : [])];
    await writeRing(this.#ports, renewed);
    return renewed;
  }

  /** The keys of the ring and no others: if an operator replaces the secret, the keys before it are withdrawn at once. */
  #publishedOf(ring: readonly RingKey[], published: PublishedKeys): PublishedKeys {
    const now = this.#ports.clock.now();
    // No key signs yet, so no cache can lack the new one.
    const isFirst = signingKeyOf(ring, published, now) === undefined;
    const signsFrom = isFirst ? now : now + keyLeadSeconds * 1000;
    return Object.fromEntries(
      ring.map(({ kid, publicKey }) => [
        kid,
        { ...publicKey, signsFrom: Math.min(signsFromOf(published, kid), signsFrom) },
      ]),
    );
  }
}
