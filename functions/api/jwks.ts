import { type Binding, on } from '#functions/http/binding';
import { jsonWebKeys, jwksMaxAgeSeconds } from '#shared/auth/published-keys';
import type { Platform } from '#shared/platform/ports';
import * as routes from './jwks.routes.ts';

/** The public keys, for services that verify access tokens themselves. */
export const jwksBinding = ({ table }: Pick<Platform, 'table'>): Binding =>
  on(routes.jwks, async () => ({
    status: 200,
    headers: { 'cache-control': `public, max-age=${jwksMaxAgeSeconds}` },
    body: { keys: await jsonWebKeys(table) },
  }));
