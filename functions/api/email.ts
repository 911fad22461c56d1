import { acceptedWithoutBody, type Binding, noContent, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import type { EmailVerification } from '#shared/users/email-verification';
import * as routes from './email.routes.ts';

/** How users prove their mail address. */
export const emailBindings = (verification: EmailVerification): readonly Binding[] => [
  on(routes.requestEmailVerification, async ({ caller }) => {
    await verification.request(caller.userId);
    return acceptedWithoutBody();
  }),
  on(routes.verifyEmail, async ({ body, ...request }) => {
    await verification.verify(body.token, originOf(request));
    return noContent();
  }),
];
