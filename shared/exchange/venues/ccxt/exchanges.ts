/**
 * The exchanges of ccxt, each in a module of its own: the barrel `ccxt` loads a hundred of them. Bundles can't read
 * a folder, so `lib/ccxt-plugin.ts` replaces this module by one with an `import()` per exchange that is offered.
 */
import { readdirSync } from 'node:fs';
import type { Exchange } from 'ccxt';

export type ExchangeClass = new (settings: Readonly<Record<string, unknown>>) => Exchange;

// The package exports only its barrel; the exchanges lie next to it.
const folder = () => new URL('./src/', import.meta.resolve('ccxt'));

/** Ids of the exchanges that {@link importExchange} can load. */
export const exchangeIds = (): string[] =>
  readdirSync(folder())
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length));

/** Loads one exchange. @param id one of {@link exchangeIds} */
export const importExchange = async (id: string): Promise<ExchangeClass> => {
  const exchange: { default: ExchangeClass } = await import(new URL(`${id}.js`, folder()).href);
  return exchange.default;
};
