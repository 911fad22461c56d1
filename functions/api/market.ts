import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { Prices } from '#shared/market/prices';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './market.routes.ts';

export const createMarketApi = (platform: Platform) => {
  const prices = new Prices(platform);
  return api(platform, [
    on(routes.getPrices, async ({ query: { venue, symbols }, page }) =>
      page.of(
        symbols === undefined
          ? await prices.list(venue, page.request)
          : await prices.ofSymbols(symbols, venue, page.request),
      ),
    ),
  ]);
};

export const handler = onLambda(createMarketApi);
