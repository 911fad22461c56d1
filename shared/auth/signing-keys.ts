import { ConditionFailed, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { type RingKey, readRing } from './key-ring.ts';
import { type PublishedKeys, publish, readPublished } from './published-keys.ts';

/** How long a function goes on signing with the key it found. */
export const signingKeyCacheSeconds = 60;
const attemptsMax = 5;

export type SigningKey = Pick<RingKey, 'kid' | 'key'>;

type Ports = Pick<Platform, 'secrets' | 'random' | 'table' | 'clock'>;

/** The key that signs tokens now. */
export class SigningKeys {
  readonly #ports: Ports;
  #opened: Promise<SigningKey> | undefined;
  #openedUntil = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The newest key whose time to sign has come. Where none has, as at the first start, the newest is published on the way. */
  async current(): Promise<SigningKey> {
    const now = this.#ports.clock.now();
    if (this.#opened === undefined || this.#openedUntil <= now) {
      this.#openedUntil = now + signingKeyCacheSeconds * 1000;
      const opened = this.#open().catch((error: unknown) => {
        if (this.#opened === opened) this.#opened = undefined;
        throw error;
      });
      this.#opened = opened;
    }
    return await this.#opened;
  }

  async #open(): Promise<SigningKey> {
    const { table, clock } = this.#ports;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { keys, version } = await readPublished(table);
      const signing = signingKeyOf(await readRing(this.#ports), keys, clock.now());
      if (signing !== undefined) return signing;
      // A cache may still hold a secret that was replaced, whose keys must not come back.
      const ring = await readRing(this.#ports, { fresh: true });
      const found = signingKeyOf(ring, keys, clock.now());
      if (found !== undefined) return found;
      const newest = ring.at(-1);
      if (newest === undefined) throw new TypeError('A ring has at least one key');
      const published = { ...keys, [newest.kid]: { ...newest.publicKey, signsFrom: clock.now() } };
      try {
        await publish(table, published, version);
        return newest;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
    throw new Unavailable('The signing keys change too often.');
  }
}

/** The key of the ring that signs at this time: the newest that was published for long enough. */
export const signingKeyOf = (ring: readonly RingKey[], published: PublishedKeys, now: number): RingKey | undefined =>
  ring.findLast(({ kid }) => signsFromOf(published, kid) <= now);

/** Epoch ms; infinite for a key that is not published. */
export const signsFromOf = (published: PublishedKeys, kid: string): number =>
  Object.hasOwn(published, kid) ? (published[kid]?.signsFrom ?? 0) : Number.POSITIVE_INFINITY;
