import { ConditionFailed, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { newRingKey, type RingKey, readRing, writeRing } from './key-ring.ts';
import { type PublishedKeys, publish, readPublished } from './published-keys.ts';
import { signingKeyOf, signsFromOf } from './signing-keys.ts';

/** How long a key signs until it gets a successor. */
export const keyPeriodDays = 30;
/** How long a key is published before it signs: longer than any cache of the published keys lives. */
export const keyLeadSeconds = 3600;
/** How long a key is accepted after its successor began to sign: longer than its last token and every cache live. */
export const keyOverlapSeconds = 3600;
const attemptsMax = 5;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'secrets' | 'random' | 'table' | 'clock'>;

/**
 * Renews the keys that sign tokens. Each run does what is due by the state that it finds, so that one that was killed or
 * ran twice is made good by the next: first the secret is changed, then the published keys are made those of the secret.
 */
export class KeyRotation {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @returns the ids of the keys that were made known and that were withdrawn */
  async run(): Promise<{ readonly added: readonly string[]; readonly withdrawn: readonly string[] }> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      // Read before the secret: what another run publishes meanwhile makes this one begin anew.
      const { keys, version } = await readPublished(this.#ports.table);
      const ring = await this.#renewed(keys);
      const next = this.#publishedOf(ring, keys);
      const added = Object.keys(next).filter((kid) => !Object.hasOwn(keys, kid));
      const withdrawn = Object.keys(keys).filter((kid) => !Object.hasOwn(next, kid));
      if (added.length === 0 && withdrawn.length === 0) return { added, withdrawn };
      try {
        await publish(this.#ports.table, next, version);
        return { added, withdrawn };
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
    throw new Unavailable('The signing keys change too often.');
  }

  /** The ring without the keys whose last tokens have ended, and with a new one when the newest has signed long enough. */
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

  /** The keys of the ring and no others: a secret that an operator replaced takes the keys before it away at once. */
  #publishedOf(ring: readonly RingKey[], published: PublishedKeys): PublishedKeys {
    const now = this.#ports.clock.now();
    // Nothing signs yet, so nobody has keys in a cache that would lack the new one.
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
