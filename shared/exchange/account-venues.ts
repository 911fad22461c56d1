import type { Platform } from '#shared/platform/ports';
import type { AccountVenue, KeyPermissions, VenueProfile } from './account-venue.ts';
import type { Credentials } from './credentials.ts';
import { VenueBudget } from './venue-budget.ts';

type Ports = Pick<Platform, 'config' | 'network' | 'clock' | 'logger' | 'table' | 'metrics' | 'random'>;
type Listing = ReturnType<typeof import('./venues/ccxt-account.ts')['createCcxtListing']>;
type VenueTime = import('./venues/ccxt-time.ts').VenueTime;

/** What all accounts at a venue have in common. */
interface Shared {
  readonly budget: VenueBudget;
  readonly time: VenueTime;
  /** The markets are read once for all. */
  readonly listing: Listing;
}

/** Makes clients of accounts, and tells what each venue offers. */
export class AccountVenues {
  readonly #ports: Ports;
  readonly #shared = new Map<string, Shared>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @throws {VenueError} `not-supported`: there is no such venue here */
  async open(id: string, credentials: Credentials): Promise<AccountVenue> {
    const { config, network, clock, logger } = this.#ports;
    const { createCcxtAccount, createCcxtListing } = await import('./venues/ccxt-account.ts');
    const { VenueTime } = await import('./venues/ccxt-time.ts');
    const originOverride = config.venueUrls[id];
    const options = { id, network, clock, logger, ...(originOverride === undefined ? {} : { originOverride }) };
    let shared = this.#shared.get(id);
    if (shared === undefined) {
      const common = { budget: new VenueBudget(this.#ports, id, 'accounts'), time: new VenueTime() };
      shared = { ...common, listing: createCcxtListing({ ...options, ...common }) };
      this.#shared.set(id, shared);
    }
    return await createCcxtAccount({ ...options, ...shared, credentials });
  }

  /** Asks the venue what a key may do, and whether it works. @throws {VenueError} */
  async verify(id: string, credentials: Credentials): Promise<KeyPermissions> {
    const venue = await this.open(id, credentials);
    const permissions = await venue.permissions();
    // A venue that does not tell what a key may do was perhaps not even asked.
    if (permissions.canWithdraw === null) await venue.balances();
    return permissions;
  }

  /** Venues whose accounts can be live, sorted. */
  async ids(): Promise<string[]> {
    return (await import('./venues/ccxt-exchanges.ts')).exchangeIds().toSorted();
  }

  /** What a venue offers, without asking it; undefined where it is not known here. */
  async profile(id: string): Promise<VenueProfile | undefined> {
    return (await import('./venues/known-profile.ts')).knownProfile(id);
  }
}
