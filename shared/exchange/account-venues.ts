import type { Platform } from '#shared/platform/ports';
import type { AccountVenue, KeyPermissions, VenueProfile } from './account-venue.ts';
import type { Credentials } from './credentials.ts';

type Ports = Pick<Platform, 'config' | 'network' | 'clock' | 'logger'>;
type Listing = ReturnType<typeof import('./venues/ccxt-account.ts')['createCcxtListing']>;

/** Makes clients of accounts, and tells what each venue offers. */
export class AccountVenues {
  readonly #ports: Ports;
  /** The markets of a venue are read once for all its accounts. */
  readonly #listings = new Map<string, Listing>();
  readonly #profiles = new Map<string, VenueProfile>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @throws {VenueError} `not-supported`: there is no such venue here */
  async open(id: string, credentials: Credentials): Promise<AccountVenue> {
    const { config, network, clock, logger } = this.#ports;
    const { createCcxtAccount, createCcxtListing } = await import('./venues/ccxt-account.ts');
    const originOverride = config.venueUrls[id];
    const options = { id, network, clock, logger, ...(originOverride === undefined ? {} : { originOverride }) };
    const listing = this.#listings.get(id) ?? createCcxtListing(options);
    this.#listings.set(id, listing);
    return await createCcxtAccount({ ...options, credentials, listing });
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
    const known = this.#profiles.get(id);
    if (known !== undefined) return known;
    const { readProfile } = await import('./venues/ccxt-profile.ts');
    const profile = await readProfile(id);
    if (profile !== undefined) this.#profiles.set(id, profile);
    return profile;
  }
}
