import * as z from 'zod';
import { Credentials } from '#shared/exchange/credentials';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, Unavailable } from '#shared/platform/errors';
import { acquireLease, type HeldLease, Lease } from '#shared/platform/lease';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, type Item, PRESENT } from '#shared/platform/table';
import {
  accountKey,
  type CredentialsPlace,
  openPacks,
  openPlace,
  packCountKey,
  packKey,
  type StoredAccount,
  type StoredPack,
} from './stored.ts';

/** The packs are secrets of this family. */
const family = 'exchange-credentials';
/** Longer than the timeout of any function that writes, so that a writer that lost its lease has ended. */
const leaseSeconds = 60;
const lease = new Lease({ until: 'leaseUntil', owner: 'leaseOwner' }, leaseSeconds * 1000);
/** Credentials older than this that no account refers to are removed: by then their account was stored or never will be. */
const orphanMinutes = 10;
/** A secret holds 64 KiB; a pack without room for the longest key is full. */
const packBytesMax = (64 - 8) * 1024;
/** Packs with room that writers choose among; with fewer they would wait for each other. */
const openPacksWanted = 4;
const attemptsMax = 12;

const Entry = z.object({
  userId: z.string(),
  accountId: z.string(),
  storedAt: z.number(),
  apiKey: z.string(),
  secret: z.string(),
  password: z.string().exactOptional(),
});
type Entry = z.infer<typeof Entry>;
/** What a secret holds, by the id of the credentials. */
const Pack = z.record(z.string(), Entry);
type Pack = z.infer<typeof Pack>;

export interface PackCount extends Item {
  readonly kind: 'credentials-pack-count';
  readonly packs: number;
}

interface Owner {
  readonly userId: UserId;
  readonly accountId: string;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'config'>;

/**
 * The API keys of all accounts, packed into secrets, because each secret costs. A pack is written by one writer at a time,
 * who holds its lease in the table. Credentials never change: new ones get an id of their own, and an account refers to
 * its current ones. So a writer that is interrupted leaves at most credentials that no account refers to (the
 * next writer of the pack removes them), a lease (it expires) or a wrong count (the next writer corrects it).
 */
export class CredentialVault {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * Stores credentials. They take effect once their account refers to them.
   * @throws {Unavailable} too many write at once
   */
  async put(owner: Owner, credentials: Credentials): Promise<CredentialsPlace> {
    const { clock, ids } = this.#ports;
    const credentialsId = ids.next();
    const entry: Entry = { ...owner, storedAt: clock.now(), ...credentials.reveal() };
    return await this.#retried(async (attempt) => {
      const pack = await this.#openPack(attempt);
      const isStored = await this.#rewritten(pack, (entries) => {
        return this.#isFull(entries) ? undefined : { ...entries, [credentialsId]: entry };
      });
      if (!isStored) throw new ConditionFailed('The pack is full.');
      return { pack, credentialsId };
    });
  }

  /** @returns the credentials, or undefined when they do not exist (any more) */
  async get({ pack, credentialsId }: CredentialsPlace): Promise<Credentials | undefined> {
    const { secrets } = this.#ports;
    const known = packOf(await secrets.get(nameOf(pack)))[credentialsId];
    // The cached pack may be older than the credentials.
    const entry = known ?? packOf(await secrets.get(nameOf(pack), { fresh: true }))[credentialsId];
    if (entry === undefined) return undefined;
    const { apiKey, secret, password } = entry;
    return new Credentials({ apiKey, secret, ...(password === undefined ? {} : { password }) });
  }

  /** Removes credentials; those that are not there are removed already. @throws {Unavailable} too many write at once */
  async remove({ pack, credentialsId }: CredentialsPlace): Promise<void> {
    await this.#retried(() =>
      this.#rewritten(pack, ({ [credentialsId]: removed, ...others }) => (removed === undefined ? undefined : others)),
    );
  }

  #isFull(pack: Pack): boolean {
    const entries = Object.keys(pack).length;
    return entries >= this.#ports.config.accounts.perSecret || Buffer.byteLength(JSON.stringify(pack)) > packBytesMax;
  }

  /** A pack that seems to have room: one of the open ones, or a new one if there are few and they are in use. */
  async #openPack(attempt: number): Promise<number> {
    const { table, random } = this.#ports;
    const { items } = await table.query<StoredPack>({ index: 'gsi1', pk: openPacks, limit: openPacksWanted });
    const isNewBetter = items.length === 0 || (items.length < openPacksWanted && attempt > 1);
    const chosen = items[Math.floor(random.number() * items.length)];
    return isNewBetter || chosen === undefined ? await this.#newPack() : chosen.pack;
  }

  async #newPack(): Promise<number> {
    const { table } = this.#ports;
    const counted = await table.update<PackCount>(packCountKey, {
      set: { kind: 'credentials-pack-count' },
      add: { packs: 1 },
    });
    const pack = counted.packs;
    const stored: StoredPack = { ...packKey(pack), ...openPlace(pack), kind: 'credentials-pack', pack, entries: 0 };
    await table.put(stored, ABSENT);
    return pack;
  }

  /**
   * Changes a pack under its lease, and drops entries that no account refers to.
   * @param change returns the new entries; undefined leaves them unchanged
   * @returns whether it was changed
   * @throws {ConditionFailed} another writer holds the lease
   */
  async #rewritten(pack: number, change: (entries: Pack) => Pack | undefined): Promise<boolean> {
    const { table, secrets, clock, ids } = this.#ports;
    const held = await acquireLease(table, packKey(pack), lease, { now: clock.now(), owner: ids.next(), if: PRESENT });
    if (held === undefined) throw new ConditionFailed('Another writer holds the lease of the pack.');
    try {
      const stored = packOf(await secrets.get(nameOf(pack), { fresh: true }));
      const named = await this.#withoutOrphans(stored);
      const changed = change(named);
      const next = changed ?? named;
      // A writer that lost its lease must not overwrite a later one.
      if (clock.now() >= held.until) throw new Unavailable('The credentials could not be stored in time; try again.');
      if (next !== stored) await secrets.put(nameOf(pack), JSON.stringify(next));
      await this.#release(pack, held, next);
      return changed !== undefined;
    } catch (error) {
      await this.#release(pack, held);
      throw error;
    }
  }

  /** Best effort: a lease that is not released expires, and the next writer counts again. */
  async #release(pack: number, { isHeld }: HeldLease, entries?: Pack): Promise<void> {
    const { remove } = lease.released;
    const place = openPlace(pack);
    const known =
      entries === undefined
        ? { remove }
        : {
            set: { entries: Object.keys(entries).length, ...(this.#isFull(entries) ? {} : place) },
            remove: [...remove, ...(this.#isFull(entries) ? Object.keys(place) : [])],
          };
    try {
      await this.#ports.table.update(packKey(pack), known, isHeld);
    } catch {
      // The secret is written.
    }
  }

  /** The entries that an account refers to or may yet refer to; the very same object when that is all of them. */
  async #withoutOrphans(pack: Pack): Promise<Pack> {
    const { table, clock } = this.#ports;
    const old = Object.entries(pack).filter(([, { storedAt }]) => storedAt + orphanMinutes * 60_000 < clock.now());
    if (old.length === 0) return pack;
    const keys = new Map(
      old.map(([, entry]) => [entry.accountId, accountKey(entry.userId as UserId, entry.accountId)]),
    );
    const accounts = await table.getMany<StoredAccount>([...keys.values()], { consistent: true });
    const named = new Set(accounts.map(({ credentials }) => credentials?.credentialsId));
    const orphans = new Set(old.map(([id]) => id).filter((id) => !named.has(id)));
    if (orphans.size === 0) return pack;
    return Object.fromEntries(Object.entries(pack).filter(([id]) => !orphans.has(id)));
  }

  #retried<T>(step: (attempt: number) => Promise<T>): Promise<T> {
    const message = 'Too many credentials are being stored at once; try again.';
    return optimistic(this.#ports, step, { attemptsMax, message });
  }
}

const nameOf = (pack: number): string => `${family}/${pack}`;

/** @throws {Error} the secret is damaged; the parser's own error would quote it */
const packOf = (text: string | undefined): Pack => {
  if (text === undefined) return {};
  try {
    return Pack.parse(JSON.parse(text));
  } catch {
    throw new Error('A secret of the credential vault can not be read');
  }
};
