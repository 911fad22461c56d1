import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { routes } from '#functions/api/routes';
import { apiPage } from '../../../bin/api-page.ts';

describe('docs/api.md', () => {
  it('is current; `npm run docs` writes it again', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/api.md'), 'utf8');
    expect(page).toBe(apiPage(routes));
  });
});
