import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Parts of ccxt that its base class imports for every exchange, and their replacements where none of the chosen
 * exchanges signs with them. WebSocket clients are never used, `undici` only without a `fetchImplementation`.
 */
const unused: readonly { readonly path: RegExp; readonly neededBy: readonly string[]; readonly standIn: string }[] = [
  { path: /[\\/]ws[\\/]WsClient\.js$/, neededBy: [], standIn: 'export default class WsClient {}' },
  {
    path: /[\\/]zklink-sdk-web\.js$/,
    neededBy: ['apex'],
    standIn:
      "export const newRpcSignerWithProvider = () => { throw new Error('zklink is not part of this bundle'); };" +
      'export const ContractBuilder = undefined, TransferBuilder = undefined, newContract = undefined, newTransfer = undefined;' +
      'export default undefined;',
  },
  { path: /[\\/]dydx-v4-client[\\/].*\.js$/, neededBy: ['dydx'], standIn: 'export const Long = undefined;' },
  { path: /[\\/]mexc[\\/]compiled\.cjs$/, neededBy: [], standIn: 'export default undefined;' },
];

const standIns = 'ccxt-stand-in';

/**
 * Bundles the chosen exchanges of ccxt, each loaded on demand: `shared/exchange/venues/ccxt/exchanges.ts` is replaced
 * by a module with one `import()` per exchange. With `format: 'esm'` and `splitting` each becomes its own chunk.
 * @param ids ccxt ids of the exchanges that the bundle offers
 */
export const ccxtExchanges = (ids: readonly string[]): Plugin => {
  // The package exports only its barrel, which lies at `dist/` for CommonJS; the exchanges are in `js/src/`.
  const folder = join(createRequire(import.meta.url).resolve('ccxt'), '../../js/src');
  const dispensable = unused.filter(({ neededBy }) => !neededBy.some((id) => ids.includes(id)));
  return {
    name: 'ccxt-exchanges',
    setup(build) {
      build.onLoad({ filter: /[\\/]venues[\\/]ccxt[\\/]exchanges\.ts$/ }, () => ({
        contents: exchangesModule(folder, ids),
        loader: 'js',
        resolveDir: folder,
      }));
      build.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, external: true }));
      build.onResolve({ filter: /\.c?js$/ }, ({ path, resolveDir }) => {
        if (!resolveDir.startsWith(folder)) return undefined;
        const file = join(resolveDir, path);
        return dispensable.some((part) => part.path.test(file)) ? { path: file, namespace: standIns } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: standIns }, ({ path }) => ({
        contents: dispensable.find((part) => part.path.test(path))?.standIn ?? '',
      }));
    },
  };
};

const exchangesModule = (folder: string, ids: readonly string[]): string => {
  const imports = ids.map((id) => `${JSON.stringify(id)}: () => import(${JSON.stringify(join(folder, `${id}.js`))})`);
  return `const exchanges = { ${imports.join(', ')} };
export const exchangeIds = () => Object.keys(exchanges);
export const importExchange = async (id) => (await exchanges[id]()).default;
`;
};
