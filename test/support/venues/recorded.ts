/** A venue that answers what was recorded, to ccxt's own requests, without a network. */
import { readFileSync } from 'node:fs';
import type { AccountVenue } from '#shared/exchange/account-venue';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtAccount } from '#shared/exchange/venues/ccxt/account';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { instantClock } from '../instant-clock.ts';

export interface RecordedAnswer {
  /** How the path ends. */
  readonly path: string;
  /** What the query holds, or does not. */
  readonly where?: string;
  readonly whereNot?: string;
  readonly status?: number;
  readonly json: unknown;
}

/** Answers of a file: a list of {@link RecordedAnswer}, or an object by path. `@NOW@` is the time, epoch ms. */
export const recordedFile = (name: string, now: number): RecordedAnswer[] => {
  const text = readFileSync(new URL(`../../fixtures/accounts/${name}.json`, import.meta.url), 'utf8');
  const parsed: RecordedAnswer[] | Record<string, unknown> = JSON.parse(text.replaceAll('@NOW@', String(now)));
  return Array.isArray(parsed) ? parsed : Object.entries(parsed).map(([path, json]) => ({ path, json }));
};

export interface RecordedVenue {
  readonly account: AccountVenue;
  /** The requests: path, with the query or the body. */
  readonly requests: { readonly path: string; readonly query: URLSearchParams }[];
  /** Put before the answers there are. */
  answer(...answers: RecordedAnswer[]): void;
}

export const recordedAt = Date.UTC(2026, 10, 28);

/** Markets that are listed, by the venue's name. */
export type Listed = Readonly<Record<string, string>>;

/** A client that knows these markets. The names of their assets are the venue's own where they differ: `XXBT=BTC`. */
const listingOf = async (id: string, listed: Listed, assetIds: Readonly<Record<string, string>>) => {
  const { exchange } = await createCcxtClient({ id, network: { fetch }, clock: instantClock(recordedAt) });
  const idOf = (asset: string | undefined) => (asset === undefined ? undefined : (assetIds[asset] ?? asset));
  exchange.setMarkets(
    Object.entries(listed).map(([marketId, symbol]) => {
      const [pair = '', settle] = symbol.split(':');
      const [base = '', quote = ''] = pair.split('/');
      const isContract = settle !== undefined;
      return {
        ...{ id: marketId, symbol, base, quote, settle, baseId: idOf(base), quoteId: idOf(quote), active: true },
        ...{ type: isContract ? 'swap' : 'spot', spot: !isContract, swap: isContract, contract: isContract },
        ...{ margin: false, future: false, option: false, linear: isContract && settle === quote },
        ...{ inverse: isContract && settle === base, contractSize: isContract ? 1 : undefined },
        ...{ precision: { amount: 1e-8, price: 1e-8 }, limits: {}, info: {} },
      };
    }),
  );
  return exchange;
};

/** @param answers the first that fits is given; 404 without one */
export const recordedVenue = async (
  id: string,
  answers: readonly RecordedAnswer[],
  {
    listed = {},
    assetIds = {},
  }: { readonly listed?: Listed; readonly assetIds?: Readonly<Record<string, string>> } = {},
): Promise<RecordedVenue> => {
  const listing = listingOf(id, listed, assetIds);
  const known = [...answers];
  const requests: RecordedVenue['requests'] = [];
  const account = await createCcxtAccount({
    id,
    listing: () => listing,
    credentials: new Credentials({ apiKey: 'key', secret: 'c2VjcmV0', password: 'phrase' }),
    clock: { ...instantClock(recordedAt), sleep: () => new Promise(() => {}) },
    budget: {
      take: async () => ({ answered: async () => {}, refused: async () => {} }),
      reportUsage: async () => {},
      reportSlowness: async () => {},
    },
    network: {
      fetch: async (url, init) => {
        const { pathname, searchParams } = new URL(String(url));
        const query = init?.body ? new URLSearchParams(String(init.body)) : searchParams;
        const parameters = decodeURIComponent(query.toString());
        requests.push({ path: pathname, query });
        const found = known.find(
          ({ path, where = '', whereNot }) =>
            pathname.endsWith(path) &&
            parameters.includes(where) &&
            !(whereNot !== undefined && parameters.includes(whereNot)),
        );
        return Response.json(found?.json ?? {}, { status: found === undefined ? 404 : (found.status ?? 200) });
      },
    },
  });
  return { account, requests, answer: (...more) => known.unshift(...more) };
};
