import * as z from 'zod';
import { setting } from './setting.ts';

export const notifications = {
  /** Whether webhooks may go to private and loopback addresses: only where no other machine can reach the server. */
  privateWebhooks: setting(z.boolean().default(false)),
};
