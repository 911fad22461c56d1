import * as z from 'zod';
import { numberText, setting } from './setting.ts';

export const accounts = {
  /** Shortest period of an account's sync, and the period of accounts that choose none, seconds, 1..3600. */
  syncSeconds: setting(z.number().min(1).max(3600).default(60), {
    variable: 'ALPHAPULSE_ACCOUNT_SYNC_SECONDS',
    text: numberText,
  }),
  /** How many accounts keep their credentials in one secret, 1..50. */
  perSecret: setting(z.int().min(1).max(50).default(50), {
    variable: 'ALPHAPULSE_ACCOUNTS_PER_SECRET',
    text: numberText,
  }),
};
