import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { Password, TotpCode } from '#shared/identity/user';

const RecoveryCodes = z
  .strictObject({
    recoveryCodes: z.array(z.string()).describe('Each stands in for a code once; they are shown this once'),
  })
  .meta({ id: 'RecoveryCodes' });

export const setUpTotp = route({
  method: 'POST',
  path: '/api/user/totp/setup',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Gives a secret for an authenticator app; it counts once a code of it was shown within a quarter of an hour',
  response: {
    200: z.strictObject({
      secret: z.string().describe('Base 32, to be typed into the app'),
      uri: z.string().describe('otpauth://…, as the QR code has it'),
      qr: z.string().describe('The QR code as an SVG image in a data URL'),
    }),
  },
});

export const enableTotp = route({
  method: 'POST',
  path: '/api/user/totp/enable',
  scope: 'session',
  throttle: perMinute(10),
  summary: "Asks for codes from now on, and ends the caller's other sessions",
  body: z.strictObject({ password: Password, code: TotpCode }),
  response: { 200: RecoveryCodes },
});

export const disableTotp = route({
  method: 'POST',
  path: '/api/user/totp/disable',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Asks for codes no more',
  body: z.strictObject({ password: Password, code: TotpCode }),
  response: { 204: null },
});

export const renewRecoveryCodes = route({
  method: 'POST',
  path: '/api/user/totp/recovery-codes',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Replaces the recovery codes',
  body: z.strictObject({ code: TotpCode }),
  response: { 200: RecoveryCodes },
});
