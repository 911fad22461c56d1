import type { Balance, WalletReading, WalletType } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import type { WalletRule } from './account-rule.ts';
import type { CcxtClient } from './client.ts';
import { operationTimeoutMs } from './client.ts';
import { NotOffered } from './not-offered.ts';

/**
 * Reads the wallets one after the other, each independently of how the others went, within {@link operationTimeoutMs}.
 * @param now epoch ms
 * @throws {VenueError} no wallet could be read
 */
export const readWallets = async (
  venue: string,
  client: CcxtClient,
  wallets: readonly WalletRule[],
  now: () => number,
): Promise<WalletReading[]> => {
  const endsAt = now() + operationTimeoutMs;
  const readings: WalletReading[] = [];
  let stopped: VenueError | undefined;
  for (const rule of wallets) {
    const covered = [rule.type, ...(rule.also ?? [])];
    const leftMs = endsAt - now();
    if (leftMs <= 0) stopped ??= new VenueError(venue, 'retryable', `${venue} did not answer in time`);
    const outcome = stopped ?? (await readWallet(client, rule, leftMs));
    // A key that is not accepted any more makes nothing of what was read before wrong, but the user has to act first.
    if (outcome instanceof VenueError && outcome.failure === 'authentication') throw outcome;
    if (outcome instanceof VenueError && outcome.failure === 'rate-limited') stopped = outcome;
    readings.push(...covered.map((wallet) => readingOf(wallet, outcome)));
    if (stopped !== undefined && !readings.some(({ status }) => status === 'ok')) throw stopped;
  }
  const failing = readings.find((reading) => reading.status === 'failing');
  if (failing !== undefined && !readings.some(({ status }) => status === 'ok')) throw failing.error;
  return readings;
};

const readWallet = async (
  client: CcxtClient,
  rule: WalletRule,
  timeoutMs: number,
): Promise<Balance[] | NotOffered | VenueError> => {
  try {
    return await client.run(async (exchange) => {
      try {
        return await rule.read(exchange);
      } catch (error) {
        if (error instanceof NotOffered) return error;
        throw error;
      }
    }, timeoutMs);
  } catch (error) {
    if (error instanceof VenueError) return error;
    throw error;
  }
};

const readingOf = (wallet: WalletType, outcome: Balance[] | NotOffered | VenueError): WalletReading => {
  if (outcome instanceof VenueError) return { wallet, status: 'failing', error: outcome };
  if (outcome instanceof NotOffered) return { wallet, status: 'not-offered', detail: outcome.message };
  return { wallet, status: 'ok', balances: outcome.filter((balance) => balance.wallet === wallet) };
};
