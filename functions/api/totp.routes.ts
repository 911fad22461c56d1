import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { Password, TotpCode } from '#shared/identity/user';

const RecoveryCodes = z
  .strictObject({
    recoveryCodes: z.array(z.string()).describe('Single-use replacements for a code, shown only in this answer'),
  })
  .meta({ id: 'RecoveryCodes' });

export const setUpTotp = route({
  method: 'POST',
  path: '/api/user/totp/setup',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Issues a secret for an authenticator app, to be enabled with a code within 15 minutes',
  response: {
    200: z.strictObject({
      secret: z.string().describe('Base32, for typing into the app'),
      uri: z.string().describe('otpauth://…, the content of the QR code'),
      qr: z.string().describe('QR code, an SVG image as a data URL'),
    }),
  },
});

export const enableTotp = route({
  method: 'POST',
  path: '/api/user/totp/enable',
  scope: 'session',
  throttle: perMinute(10),
  summary: "Enables the second factor and ends the caller's other sessions",
  body: z.strictObject({ password: Password, totp: TotpCode }),
  response: { 200: RecoveryCodes },
});

export const disableTotp = route({
  method: 'POST',
  path: '/api/user/totp/disable',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Disables the second factor',
  body: z.strictObject({ password: Password, totp: TotpCode }),
  response: { 204: null },
});

export const renewRecoveryCodes = route({
  method: 'POST',
  path: '/api/user/totp/recovery-codes',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Replaces the recovery codes',
  body: z.strictObject({ password: Password, totp: TotpCode }),
  response: { 200: RecoveryCodes },
});
