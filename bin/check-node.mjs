/**
 * Loaded before every command, in plain JavaScript: an older Node can't read the TypeScript that explains what is wrong.
 * The install brings the Node that commands run on; without its install scripts the one of the machine runs instead.
 */
import { existsSync } from 'node:fs';

const majorNeeded = 24;
const isInstalled = existsSync(new URL('../node_modules/zod/package.json', import.meta.url));
const isNewEnough = Number(process.version.slice(1).split('.', 1)[0]) >= majorNeeded;

if (!isInstalled) {
  console.error('The packages of AlphaPulse are missing: run npm install first.');
  process.exit(1);
}
if (!isNewEnough) {
  console.error(
    `AlphaPulse runs on Node.js ${majorNeeded}, and this is ${process.version}: npm install brings it, unless install scripts are turned off. Run npm rebuild node --ignore-scripts=false.`,
  );
  process.exit(1);
}
