import { AccountSync } from '#shared/accounts/sync/account-sync';
import { balancesStep } from '#shared/accounts/sync/balances';
import { SyncJob } from '#shared/accounts/sync/dispatch';
import { ordersStep } from '#shared/accounts/sync/orders';
import { positionsStep } from '#shared/accounts/sync/positions';
import { SyncHeld } from '#shared/accounts/sync/sync-lease';
import { tradesStep } from '#shared/accounts/sync/trades';
import { transfersStep } from '#shared/accounts/sync/transfers';
import { CredentialVault } from '#shared/accounts/vault';
import type { OpenAccountVenue } from '#shared/exchange/account-venue';
import { AccountVenues } from '#shared/exchange/account-venues';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { syncTimeoutSeconds } from './account-sync.limits.ts';
import { onQueue } from './on-queue.ts';

const retrySecondsMax = 300;
/** The function has to record its results before it times out. */
const marginSeconds = 5;

/** Synchronizes the account that each message names. */
export const createAccountSync = (platform: Platform, open: OpenAccountVenue = openerOf(platform)) => {
  const { logger } = platform;
  const sync = new AccountSync(platform, {
    // What changed in balances and orders decides which markets the trades are read of.
    steps: [balancesStep, positionsStep, ordersStep, tradesStep, transfersStep].map((step) => step(platform)),
    vault: new CredentialVault(platform),
    open,
    timeoutSeconds: syncTimeoutSeconds - marginSeconds,
  });

  return onQueue(platform, {
    queue: 'account-sync',
    retrySecondsMax,
    handle: async (body) => {
      await sync.run(SyncJob.parse(JSON.parse(body)));
    },
    heldMs: (error) => (error instanceof SyncHeld ? error.remainingMs : undefined),
    report: (error, receives) => {
      if (error instanceof SyncHeld) {
        logger.info('An account sync waits for the one under way');
      } else {
        // Never the error's message: its origin is unknown.
        logger.warn('An account sync failed', { errorName: error instanceof Error ? error.name : 'unknown', receives });
      }
    },
  });
};

const openerOf = (platform: Platform): OpenAccountVenue => {
  const venues = new AccountVenues(platform);
  return (venue, credentials) => venues.open(venue, credentials);
};

export const handler = onLambda(createAccountSync);
