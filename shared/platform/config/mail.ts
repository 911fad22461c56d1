import * as z from 'zod';
import { setting } from './setting.ts';

export const mail = {
  /** Sender of mails. */
  from: setting(z.string(), {
    variable: 'ALPHAPULSE_MAIL_FROM',
    oneMachine: { default: 'AlphaPulse <alphapulse@localhost>', expected: 'a sender of mails' },
  }),
  /** Address of the web app, for links in mails. */
  appUrl: setting(z.url({ protocol: /^https?$/ }).exactOptional(), {
    variable: 'ALPHAPULSE_APP_URL',
    oneMachine: { expected: 'a URL such as https://app.example.com' },
  }),
};
