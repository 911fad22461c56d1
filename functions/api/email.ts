import { type Binding, on } from '#functions/http/binding';
import { accepted, noContent } from '#functions/http/reply';
import type { EmailVerification } from '#shared/users/email-verification';
import * as routes from './email.routes.ts';

/** Verification of email addresses. */
export const emailBindings = (verification: EmailVerification): readonly Binding[] => [
  on(routes.requestEmailVerification, async ({ caller }) => {
    await verification.request(caller.userId);
    return accepted();
  }),
  on(routes.verifyEmail, async ({ body, origin }) => {
    await verification.verify(body.token, origin);
    return noContent();
  }),
];
