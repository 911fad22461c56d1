import * as z from 'zod';
import { setting } from './setting.ts';

export const notifications = {
  /** Whether webhooks may go to private and loopback addresses. */
  privateWebhooks: setting(z.boolean().default(false), { oneMachine: { default: true } }),
};
