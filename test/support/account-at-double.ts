/** An account that is synchronised through ccxt with a double, over HTTP and on a virtual clock. */

import { AccountVenues } from '#shared/exchange/account-venues';
import { Credentials } from '#shared/exchange/credentials';
import { withSettings } from '#shared/platform/config/config';
import type { Network } from '#shared/platform/ports';
import { accountSystem } from './account-system.ts';
import type { TestPlatform } from './test-platform.ts';
import { liveOn } from './virtual-clock.ts';

/** Turns of the event loop without a request under way after which time passes. */
const idleTurns = 6;
const stepMs = 100;

export interface DoubleKey {
  readonly apiKey: string;
  readonly secret: string;
}

/** @param url of the double @returns the account's system, and `through`: waits for work that takes requests and time */
export const accountAtDouble = async (system: TestPlatform, venue: string, url: string, key: DoubleKey) => {
  const requests = { underWay: 0 };
  const venues = new AccountVenues({
    ...system.platform,
    network: { fetch: counted(requests), post: async () => 200 },
    config: withSettings(system.platform.config, { exchange: { venueUrls: { [venue]: url } } }),
  });
  // To load a venue's code takes the machine a while, in which no time shall pass.
  await venues.open(venue, new Credentials(key));
  const account = await accountSystem(system, venue, venues.open.bind(venues), undefined, key);
  const pace = { stepMs, idleTurns, isBusy: () => requests.underWay > 0 };
  const through = async (work: Promise<void> | undefined) =>
    await liveOn(system.clock, pace, work ?? Promise.resolve());
  return { ...account, through };
};

const counted =
  (requests: { underWay: number }): Network['fetch'] =>
  async (input, init) => {
    requests.underWay += 1;
    try {
      const response = await fetch(input, init);
      return new Response(await response.arrayBuffer(), response);
    } finally {
      requests.underWay -= 1;
    }
  };
