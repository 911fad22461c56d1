import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { type RingKey, readRing } from './key-ring.ts';
import { type PublishedKeys, publish, readPublished } from './published-keys.ts';

/** How long the signing key is cached. */
export const signingKeyCacheSeconds = 60;
const attemptsMax = 5;

export type SigningKey = Pick<RingKey, 'kid' | 'key'>;

type Ports = Pick<Platform, 'secrets' | 'random' | 'table' | 'clock'>;

/** The key that currently signs tokens. */
export class SigningKeys {
  readonly #ports: Ports;
  #opened: Promise<SigningKey> | undefined;
  #openedUntil = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The newest key that may sign by now. If there is none, as at the first start, the newest key is published for it. */
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
    const open = async (): Promise<SigningKey> => {
      const { keys, version } = await readPublished(table);
      const signing = signingKeyOf(await readRing(this.#ports), keys, clock.now());
      if (signing !== undefined) return signing;
      // A cache may still contain a replaced secret, whose keys must not be published again.
      const ring = await readRing(this.#ports, { fresh: true });
      const found = signingKeyOf(ring, keys, clock.now());
      if (found !== undefined) return found;
      const newest = ring.at(-1);
      if (newest === undefined) throw new TypeError('A ring has at least one key');
      const published = { ...keys, [newest.kid]: { ...newest.publicKey, signsFrom: clock.now() } };
      await publish(table, published, version);
      return newest;
    };
    return await optimistic(this.#ports, open, { attemptsMax, message: 'The signing keys change too often.' });
  }
}

/** The key of the ring that signs now: the newest one that has been published for long enough. */
export const signingKeyOf = (ring: readonly RingKey[], published: PublishedKeys, now: number): RingKey | undefined =>
  ring.findLast(({ kid }) => signsFromOf(published, kid) <= now);

/** From when a key signs, epoch ms; infinite for one that is not published. */
export const signsFromOf = (published: PublishedKeys, kid: string): number =>
  Object.hasOwn(published, kid) ? (published[kid]?.signsFrom ?? 0) : Number.POSITIVE_INFINITY;
