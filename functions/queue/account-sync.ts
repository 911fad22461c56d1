import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import { AccountSync, SyncHeld } from '#shared/accounts/account-sync';
import { balancesStep } from '#shared/accounts/balances';
import { SyncOrder } from '#shared/accounts/dispatch';
import { CredentialVault } from '#shared/accounts/vault';
import type { OpenAccountVenue } from '#shared/exchange/account-venue';
import { AccountVenues } from '#shared/exchange/account-venues';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { syncTimeoutSeconds } from './account-sync.limits.ts';

const retrySeconds = 2;
const retrySecondsMax = 300;
/** The function has to tell how it went before its own time is over. */
const marginSeconds = 5;

/** Synchronises the account that each message names. */
export const createAccountSync = (platform: Platform, open: OpenAccountVenue = openerOf(platform)) => {
  const { logger, random } = platform;
  const sync = new AccountSync(platform, {
    steps: [balancesStep(platform)],
    vault: new CredentialVault(platform),
    open,
    timeoutSeconds: syncTimeoutSeconds - marginSeconds,
  });

  /** After the sync that is under way, so that waiting for it can't use up the retries; else ever later. */
  const secondsUntilRetry = (error: unknown, receives: number): number => {
    const backOff = Math.min(retrySeconds * 2 ** (receives - 1), retrySecondsMax);
    const jittered = Math.ceil(backOff * (0.5 + random.number() / 2));
    return error instanceof SyncHeld ? Math.max(jittered, Math.ceil(error.remainingMs / 1000)) : jittered;
  };

  const synchronise = async ({ body, attributes, receiptHandle }: SQSRecord): Promise<void> => {
    const receives = Number(attributes.ApproximateReceiveCount);
    try {
      await sync.run(SyncOrder.parse(JSON.parse(body)));
    } catch (error) {
      await platform.queue('account-sync').release(receiptHandle, secondsUntilRetry(error, receives));
      if (error instanceof SyncHeld) {
        logger.info('An account sync waits for the one under way');
      } else {
        // Never the error's message: it is not known where it comes from.
        logger.warn('An account sync failed', { errorName: error instanceof Error ? error.name : 'unknown', receives });
      }
      throw error;
    }
  };

  return instrumented(platform, (event: SQSEvent, context: Context) =>
    processPartialResponse(event, synchronise, new BatchProcessor(EventType.SQS), {
      context,
      throwOnFullBatchFailure: false,
    }),
  );
};

const openerOf = (platform: Platform): OpenAccountVenue => {
  const venues = new AccountVenues(platform);
  return (venue, credentials) => venues.open(venue, credentials);
};

export const handler = onLambda(createAccountSync);
