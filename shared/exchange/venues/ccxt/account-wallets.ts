import type { Balance, WalletReading, WalletType } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { type Holding, settled } from './account-balances.ts';
import type { AccountRules, WalletRule } from './account-rule.ts';
import type { CcxtClient } from './client.ts';
import { operationTimeoutMs } from './client.ts';
import { isNotOffered, NotOffered } from './not-offered.ts';

/** The result of reading one or more wallets. */
interface Outcome {
  readonly rule: WalletRule;
  readonly holdings?: readonly Holding[];
  readonly isStandIn?: true;
  readonly error?: VenueError;
  /** Why there is no such wallet, for people. */
  readonly missing?: string;
}

/**
 * Reads the wallets one after the other, each independently of the others, within {@link operationTimeoutMs}.
 * @param now epoch ms
 * @throws {VenueError} no wallet could be read
 */
export const readWallets = async (
  client: CcxtClient,
  rules: Pick<AccountRules, 'wallets' | 'notOffered'>,
  now: () => number,
): Promise<WalletReading[]> => {
  const venue = client.exchange.id;
  const endsAt = now() + operationTimeoutMs;
  const outcomes: Outcome[] = [];
  let stopped: VenueError | undefined;
  for (const rule of rules.wallets) {
    const leftMs = endsAt - now();
    if (leftMs <= 0) stopped ??= new VenueError(venue, 'retryable', `${venue} did not answer in time`);
    const outcome =
      stopped === undefined ? await readWallet(client, rule, rules.notOffered, leftMs) : { rule, error: stopped };
    const { error } = outcome;
    // Nothing more can be read with a key that is no longer accepted; only its user can fix that.
    if (error?.failure === 'authentication') throw error;
    // Further requests would prolong the limit.
    if (error?.failure === 'rate-limited') stopped = error;
    outcomes.push(outcome);
    if (isDown(outcomes) && error !== undefined) throw error;
    if (stopped !== undefined && outcomes.every(({ holdings }) => holdings === undefined)) throw stopped;
  }
  const isAnyRead = outcomes.some(({ holdings }) => holdings !== undefined);
  const first = outcomes.find(({ error }) => error !== undefined)?.error;
  if (!isAnyRead && first !== undefined) throw first;
  const read = outcomes.map((outcome) => withStandIn(client, outcome));
  const balances = settled(read.flatMap(({ holdings }) => holdings ?? []));
  return read.flatMap((outcome) =>
    [outcome.rule.type, ...(outcome.rule.also ?? [])].map((wallet) => readingOf(wallet, outcome, balances)),
  );
};

/** ccxt's errors of a venue that does not answer at all. */
const unanswered: ReadonlySet<unknown> = new Set([
  ...['NetworkError', 'RequestTimeout', 'ExchangeNotAvailable', 'OnMaintenance'],
]);
/** After this many wallets in a row without an answer, and none read before, the venue counts as down. */
const unansweredWallets = 2;

/** A venue that is down costs few requests and little time. */
const isDown = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length === unansweredWallets && outcomes.every(({ error }) => unanswered.has(error?.cause));

const readWallet = async (
  client: CcxtClient,
  rule: WalletRule,
  words: RegExp | undefined,
  timeoutMs: number,
): Promise<Outcome> => {
  let isMissing = false;
  try {
    const holdings = await client.run(async (exchange) => {
      try {
        return await rule.read(exchange);
      } catch (error) {
        if (error instanceof NotOffered) return error;
        isMissing = isNotOffered(error, words);
        throw error;
      }
    }, timeoutMs);
    return holdings instanceof NotOffered ? { rule, missing: holdings.message } : { rule, holdings };
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    return isMissing ? { rule, error, missing: error.message } : { rule, error };
  }
};

const withStandIn = ({ exchange }: CcxtClient, outcome: Outcome): Outcome => {
  if (outcome.holdings !== undefined) return outcome;
  const holdings = outcome.rule.standIn?.(exchange) ?? [];
  return holdings.length === 0 ? outcome : { rule: outcome.rule, holdings, isStandIn: true };
};

const readingOf = (wallet: WalletType, outcome: Outcome, balances: readonly Balance[]): WalletReading => {
  const { holdings, isStandIn, missing, error } = outcome;
  if (holdings !== undefined) {
    const own = balances.filter((balance) => balance.wallet === wallet);
    return { wallet, status: 'ok', balances: own, ...(isStandIn && { isStandIn }) };
  }
  if (missing !== undefined || error === undefined) return { wallet, status: 'not-offered', detail: missing ?? '' };
  return { wallet, status: 'failing', error };
};
