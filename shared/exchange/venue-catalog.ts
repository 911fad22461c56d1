import type { ListPage, PageRequest } from '#shared/model/page';
import type { Config } from '#shared/platform/ports';
import type { AccountVenues } from './account-venues.ts';
import type { ExchangeVenue } from './exchange-venue.ts';

/** Names of the venues that AlphaPulse itself provides. They have paper accounts only. */
const builtInNames: Readonly<Record<string, string>> = { sim: 'Simulator', replay: 'Recorded candles' };
const unsupported: ExchangeVenue['supports'] = {
  ...{ balances: false, positions: false, openOrders: false },
  ...{ closedOrders: false, trades: false, transfers: false },
};

/** The venues at which accounts can be opened, on paper or live. */
export class VenueCatalog {
  readonly #watched: readonly string[];
  readonly #venues: Pick<AccountVenues, 'ids' | 'profile'>;

  constructor({ market }: Pick<Config, 'market'>, accountVenues: Pick<AccountVenues, 'ids' | 'profile'>) {
    this.#watched = market.venues;
    this.#venues = accountVenues;
  }

  /** Every venue by its id. */
  async list({ limit, cursor = '' }: PageRequest): Promise<ListPage<ExchangeVenue>> {
    const builtIn = this.#watched.filter((id) => builtInNames[id] !== undefined);
    const ids = [...builtIn, ...(await this.#venues.ids())].toSorted().filter((id) => id > cursor);
    const page = ids.slice(0, limit);
    const items = (await Promise.all(page.map((id) => this.#described(id)))).flat();
    const last = page.at(-1);
    return { items, ...(ids.length > limit && last !== undefined && { cursor: last }) };
  }

  /** None where the venue has no profile. */
  async #described(id: string): Promise<ExchangeVenue[]> {
    const paper = this.#watched.includes(id);
    const builtIn = builtInNames[id];
    if (builtIn !== undefined) {
      return [{ id, name: builtIn, credentials: [], paper, live: false, supports: unsupported }];
    }
    const profile = await this.#venues.profile(id);
    if (profile === undefined) return [];
    const { name, credentials, supports } = profile;
    return [{ id, name, credentials: [...credentials], paper, live: supports.balances, supports }];
  }
}
