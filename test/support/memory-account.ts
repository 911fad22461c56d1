/** A live account at a venue in memory, with its dispatcher and its workers. */
import { NewAccount } from '#shared/accounts/account';
import { AccountRecords } from '#shared/accounts/account-records';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, type StepName, type StoredAccount } from '#shared/accounts/stored';
import { Dispatcher } from '#shared/accounts/sync/dispatch';
import type { UserId } from '#shared/model/user-id';
import { testKey, VenueOfKeys } from './account-venues.ts';
import { MemoryVenue } from './memory-venue.ts';
import { testOrigin, testPlatform } from './test-platform.ts';

export const owner = 'ada' as UserId;

export const memoryAccount = async (syncSeconds = 60) => {
  const venue = new MemoryVenue();
  const given = testPlatform({ market: { venues: ['sim', 'binance'] } }, async () => venue);
  const keys = new VenueOfKeys();
  keys.add();
  const accounts = new Accounts(given.platform, keys);
  const records = new AccountRecords(given.platform);
  const account = NewAccount.parse({ venue: 'binance', label: 'x', mode: 'live', credentials: testKey, syncSeconds });
  const { accountId } = await given.awake(accounts.add(owner, account, testOrigin));
  const stored = async () => (await given.store.get<StoredAccount>(accountKey(owner, accountId))) as StoredAccount;
  let dispatcher = new Dispatcher(given.platform);
  return {
    ...{ venue, given, accounts, records, accountId, stored },
    step: async (name: StepName) => (await stored()).steps[name],
    /** The steps as the API shows them. */
    shown: async () => (await accounts.list(owner, { limit: 1 })).items[0]?.steps ?? [],
    /** Lets time pass, the dispatcher and the workers at work every 15 s. */
    pass: async (seconds: number) => {
      for (const until = given.clock.now() + seconds * 1000; given.clock.now() < until; ) {
        await given.clock.advance(15_000);
        await dispatcher.run();
        await given.settle();
      }
    },
    /** The next dispatcher is that of another process. */
    restart: () => {
      dispatcher = new Dispatcher(given.platform);
    },
  };
};
