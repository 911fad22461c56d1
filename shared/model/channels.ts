import * as z from 'zod';

/** A channel through which a user is notified. */
export const NotificationChannel = z.enum(['websocket', 'email', 'webhook']);
export type NotificationChannel = z.infer<typeof NotificationChannel>;
