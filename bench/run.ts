/** `npm run bench [-- NAME …] [--quick]`: prints figures measured now, on this machine, as ratios to a peer or a limit. */
import { parseArgs } from 'node:util';
import { benchAccounts } from './accounts.ts';
import { benchAuthorization } from './authorization.ts';
import { benchBundles } from './bundles.ts';
import { benchCrossing } from './crossing.ts';
import { benchLatency } from './latency.ts';
import { benchLogin } from './login.ts';
import { benchRequests } from './requests.ts';
import { benchSync } from './sync.ts';

const benches: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  crossing: benchCrossing,
  latency: benchLatency,
  requests: benchRequests,
  login: benchLogin,
  auth: benchAuthorization,
  sync: benchSync,
  accounts: benchAccounts,
  bundles: benchBundles,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length === 0 || positionals.includes(name)) await bench(values.quick);
}
