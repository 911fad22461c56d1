/** A venue to try things on, without money: `npm run venue -- binance [--port 9001]`. */
import { parseArgs } from 'node:util';
import { startBinance } from '../test/support/venues/binance.ts';
import { startBybit } from '../test/support/venues/bybit.ts';
import { startKraken } from '../test/support/venues/kraken.ts';
import { doublePricePath } from '../test/support/venues/venue-server.ts';

const venues = {
  binance: { start: startBinance, secret: 'demosecret' },
  bybit: { start: startBybit, secret: 'demosecret' },
  // Kraken's secrets are base64.
  kraken: { start: startKraken, secret: 'ZGVtb3NlY3JldA==' },
};

const portMax = 65_535;

const parsedArguments = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { port: { type: 'string', default: '9001' } } });
  } catch {
    return undefined;
  }
};
const { positionals: [id = ''] = [], values } = parsedArguments() ?? {};
const chosen = Object.entries(venues).find(([name]) => name === id)?.[1];
const port = Number(values?.port);
if (chosen === undefined || !Number.isInteger(port) || port < 0 || port > portMax) {
  console.error(`Usage: npm run venue -- <${Object.keys(venues).join('|')}> [--port 9001]`);
  process.exit(1);
}
const venue = await chosen.start({ port }).catch((error: NodeJS.ErrnoException) => {
  if (error.syscall !== 'listen') throw error;
  console.error(
    `Port ${port} can't be used (${error.code}); choose another with --port, or any free one with --port 0.`,
  );
  process.exit(1);
});
const demoKey = { apiKey: 'demokey', secret: chosen.secret };
venue.accounts.addKey(demoKey);
venue.accounts.setBalance(demoKey.apiKey, 'BTC', '0.5');
venue.accounts.setBalance(demoKey.apiKey, 'USDT', '10000', '250');
console.log(
  [
    `${id} at ${venue.url}, with an account: API key ${demoKey.apiKey}, secret ${demoKey.secret}`,
    `  Start      ALPHAPULSE_VENUE_URLS='${JSON.stringify({ [id]: venue.url })}' npm start -- --venue ${id}`,
    `  Price      curl -X POST ${venue.url}${doublePricePath} -d '{"symbol":"BTC/USDT","last":"70000"}'`,
  ].join('\n'),
);
