/** `npm run docs`: writes the pages of docs/ that are generated from the code. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { routes } from '#functions/api/routes';
import { apiPage } from './api-page.ts';

writeFileSync(resolve(import.meta.dirname, '../docs/api.md'), apiPage(routes));
