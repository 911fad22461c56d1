import type { Balance, KeyPermissions, OpenedAccount, VenueProfile } from '#shared/exchange/account-venue';
import type { CredentialParts, Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';
import { walletsOf } from './memory-venue.ts';

export const testKey: CredentialParts = {
  apiKey: 'AKtestkey0123456789abcdef',
  secret: 'SECRETtestsecret0123456789',
};

export const spot = (asset: string, total: string, more: Partial<Balance> = {}): Balance => ({
  ...{ wallet: 'spot', asset, free: total, locked: '0', total, debt: '0', venueTime: null },
  ...more,
});

const supported = {
  balances: true,
  positions: true,
  openOrders: true,
  closedOrders: true,
  trades: true,
  transfers: true,
};

/** A venue as accounts see it, without a network: the test says what each key finds, and what goes wrong. */
export class VenueOfKeys {
  readonly keys = new Map<string, { permissions: KeyPermissions; balances: Balance[] }>();
  /** The key of each read of balances. */
  readonly reads: string[] = [];
  /** What the next calls throw. */
  readonly faults: VenueError[] = [];
  /** Runs while balances are read. */
  during: () => Promise<void> = async () => {};

  add(
    key = testKey,
    permissions: KeyPermissions = { canTrade: true, canWithdraw: false },
    balances: Balance[] = [],
  ): void {
    this.keys.set(key.apiKey, { permissions, balances });
  }

  hold(balances: Balance[], key = testKey): void {
    const held = this.keys.get(key.apiKey);
    if (held !== undefined) held.balances = balances;
  }

  readonly open = async (venue: string, credentials: Credentials): Promise<OpenedAccount> => {
    const { apiKey, secret } = credentials.reveal();
    const found = () => {
      const fault = this.faults.shift();
      if (fault !== undefined) throw fault;
      const held = this.keys.get(apiKey);
      // As a careless venue does, which quotes what it was sent.
      if (held === undefined)
        throw new VenueError(venue, 'authentication', `${venue} refused ${apiKey} with ${secret}`);
      return held;
    };
    const nothing = async () => ({ items: [], rejected: [] });
    return {
      id: venue,
      needsSymbols: false,
      permissions: async () => found().permissions,
      balances: async () => {
        this.reads.push(apiKey);
        await this.during();
        return walletsOf(found().balances, ['spot']);
      },
      positions: async () => [],
      ...{ openOrders: nothing, closedOrders: nothing, transfers: nothing },
      trades: async () => ({ items: [], rejected: [], cursor: '', more: false }),
      close: async () => {},
    };
  };

  readonly verify = async (venue: string, credentials: Credentials): Promise<KeyPermissions> =>
    await (await this.open(venue, credentials)).permissions();

  readonly profile = async (id: string): Promise<VenueProfile | undefined> =>
    id === 'binance' ? { id, name: 'Binance', credentials: ['apiKey', 'secret'], supports: supported } : undefined;

  readonly ids = async (): Promise<string[]> => ['binance'];
}
