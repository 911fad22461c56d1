import type { Clock, Network } from '#shared/platform/ports';
import { createCcxtClient } from './ccxt/client.ts';
import { translate } from './ccxt/errors.ts';

/** Venues with public prices in US dollars or their stablecoins, the preferred one first. */
export const liveCandidates: readonly string[] = ['binance', 'kraken', 'coinbase'];
/** How long the candidates have to answer. */
export const probeTimeoutMs = 3000;

export interface LiveProbeOptions {
  /** ccxt ids, the preferred one first. */
  readonly ids?: readonly string[];
  readonly network: Pick<Network, 'fetch'>;
  readonly clock: Clock;
  /** Origins that replace a venue's own, by venue. */
  readonly venueUrls?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** The venue to take, or why there is none, for people. */
export type LiveProbe = { readonly id: string } | { readonly id: undefined; readonly reason: string };

/**
 * Asks all candidates at once for their time, the cheapest public call, and takes the most preferred one that answers.
 * Ends within the timeout, leaves no request behind, and never throws.
 */
export const probeLive = async (options: LiveProbeOptions): Promise<LiveProbe> => {
  const { ids = liveCandidates, network, clock, venueUrls = {}, timeoutMs = probeTimeoutMs } = options;
  const over = new AbortController();
  const abortable: Pick<Network, 'fetch'> = {
    fetch: (input, init) =>
      network.fetch(input, { ...init, signal: AbortSignal.any([over.signal, ...(init?.signal ? [init.signal] : [])]) }),
  };
  const timeout = clock.sleep(timeoutMs, over.signal);
  const failures = ids.map((id) =>
    Promise.race([
      failureOf(id, { network: abortable, clock, originOverride: venueUrls[id] }),
      timeout.then(() => `${id} did not answer in time`),
    ]),
  );
  try {
    const reasons: string[] = [];
    for (const [position, id] of ids.entries()) {
      const reason = await failures[position];
      if (reason === undefined) return { id };
      reasons.push(reason);
    }
    return { id: undefined, reason: reasons.join('; ') };
  } finally {
    over.abort();
  }
};

/** Why the venue can't be used, or undefined when it answers. */
const failureOf = async (
  id: string,
  connection: { network: Pick<Network, 'fetch'>; clock: Clock; originOverride: string | undefined },
): Promise<string | undefined> => {
  try {
    const client = await createCcxtClient({ id, ...connection });
    const answer = await client.run<unknown>((exchange) =>
      exchange.has.fetchTime ? exchange.fetchTime() : exchange.loadMarkets(),
    );
    return answer === undefined ? `${id} gave an answer that could not be understood` : undefined;
  } catch (error) {
    return translate(id, error).message;
  }
};
