import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { functions } from '../functions/manifest.ts';
import { bundleFunctions } from '../lib/bundle.ts';
import { readSettings } from '../lib/settings.ts';
import { addSystem } from '../lib/system.ts';
import manifest from '../package.json' with { type: 'json' };

const bundles = resolve(import.meta.dirname, '../dist/functions');

const app = new App();
const settings = readSettings((name) => app.node.tryGetContext(name));
await bundleFunctions(functions, { outdir: bundles, venues: settings.venues });
// Set by the CDK command when it knows where to deploy.
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
addSystem(app, {
  settings,
  functions,
  bundles,
  version: manifest.version,
  ...(account && region ? { env: { account, region } } : {}),
});
