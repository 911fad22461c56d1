import type { Platform } from '#shared/platform/ports';
import type { AccountVenue, KeyPermissions, OpenedAccount, VenueProfile } from './account-venue.ts';
import { ConcurrencySlots } from './budget/concurrency-slots.ts';
import { type CallBudget, VenueBudget } from './budget/venue-budget.ts';
import { VenueSession } from './budget/venue-session.ts';
import type { Credentials } from './credentials.ts';

type Ports = Pick<Platform, 'config' | 'network' | 'clock' | 'logger' | 'table' | 'metrics' | 'random'>;
type Listing = ReturnType<typeof import('./venues/ccxt/account.ts')['createCcxtListing']>;
type VenueTime = import('./venues/ccxt/venue-time.ts').VenueTime;

/** What all accounts at a venue share. */
interface Shared {
  readonly budget: VenueBudget;
  readonly slots: ConcurrencySlots;
  readonly time: VenueTime;
  /** The markets are read once for all accounts. */
  readonly listing: Listing;
}

/** Creates clients of accounts, and knows what each venue supports. */
export class AccountVenues {
  readonly #ports: Ports;
  readonly #shared = new Map<string, Shared>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Opens an account for the calls of one sync. @throws {VenueError} `not-supported`: there is no such venue here */
  async open(id: string, credentials: Credentials): Promise<OpenedAccount> {
    const shared = await this.#sharedAt(id);
    const session = new VenueSession(this.#ports, shared.budget, shared.slots);
    return { ...(await this.#client(id, credentials, { ...shared, budget: session })), close: () => session.end() };
  }

  /** Asks the venue what a key may do, and whether it works. @throws {VenueError} */
  async verify(id: string, credentials: Credentials): Promise<KeyPermissions> {
    // A user waits for the answer, and it takes two calls at most: no concurrency slot is needed.
    const venue = await this.#client(id, credentials, await this.#sharedAt(id));
    const permissions = await venue.permissions();
    // Where the venue does not report permissions, no request may have been made yet.
    if (permissions.canWithdraw === null) await venue.balances();
    return permissions;
  }

  /** Venues whose accounts can be live, sorted. */
  async ids(): Promise<string[]> {
    return (await import('./venues/ccxt/exchanges.ts')).exchangeIds().toSorted();
  }

  /** What a venue supports, known without a request; undefined for unknown venues. */
  async profile(id: string): Promise<VenueProfile | undefined> {
    return (await import('./venues/ccxt/known-profile.ts')).knownProfile(id);
  }

  async #client(
    id: string,
    credentials: Credentials,
    { time, listing, budget }: Omit<Shared, 'budget' | 'slots'> & { readonly budget: CallBudget },
  ): Promise<AccountVenue> {
    const { createCcxtAccount } = await import('./venues/ccxt/account.ts');
    return credentials.guarded(await createCcxtAccount({ ...this.#options(id), time, listing, budget, credentials }));
  }

  async #sharedAt(id: string): Promise<Shared> {
    const { createCcxtListing } = await import('./venues/ccxt/account.ts');
    const { VenueTime } = await import('./venues/ccxt/venue-time.ts');
    const known = this.#shared.get(id);
    if (known !== undefined) return known;
    const common = { budget: new VenueBudget(this.#ports, id, 'accounts'), time: new VenueTime() };
    const listing = createCcxtListing({ ...this.#options(id), ...common });
    const shared = { ...common, listing, slots: new ConcurrencySlots(this.#ports, id) };
    this.#shared.set(id, shared);
    return shared;
  }

  #options(id: string) {
    const { config, network, clock, logger } = this.#ports;
    const originOverride = config.exchange.venueUrls[id];
    return { id, network, clock, logger, ...(originOverride === undefined ? {} : { originOverride }) };
  }
}
