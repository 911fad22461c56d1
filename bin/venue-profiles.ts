/** `npm run profiles`: writes down what each exchange of the installed ccxt offers accounts. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exchangeIds } from '#shared/exchange/venues/ccxt/exchanges';
import { profileRow, readProfile } from '#shared/exchange/venues/ccxt/profile';

const path = fileURLToPath(new URL('../shared/exchange/venues/ccxt/profiles.ts', import.meta.url));

const rows: string[] = [];
for (const id of exchangeIds().toSorted()) {
  const profile = await readProfile(id);
  if (profile !== undefined) rows.push(`${id}: ${JSON.stringify(profileRow(profile))},`);
}
writeFileSync(
  path,
  `/** Made by \`npm run profiles\`: name, parts of a key, and what is offered, by ccxt id. */
export const ccxtProfiles: Readonly<Record<string, readonly [name: string, credentials: string, supports: string]>> = {
${rows.join('\n')}
};
`,
);
execFileSync('biome', ['format', '--write', path], { stdio: 'inherit' });
