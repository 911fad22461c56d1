import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';

/** A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037). */
const JsonWebKeySet = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
      }),
    ),
  })
  .meta({ id: 'JsonWebKeySet' });

export const jwks = route({
  method: 'GET',
  path: '/.well-known/jwks.json',
  scope: 'public',
  throttle: perMinute(300),
  summary: 'The public keys that access tokens are signed with',
  response: { 200: JsonWebKeySet },
});
