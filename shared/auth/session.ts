import * as z from 'zod';

/** A session as shown in its user's list. */
export const Session = z
  .strictObject({
    id: z.string(),
    device: z.string().describe('User agent at login'),
    address: z.string().describe('Network address of the last use'),
    createdAt: z.int().describe('Epoch milliseconds'),
    lastUsedAt: z.int().describe('Time of the login or the last refresh, epoch milliseconds'),
    current: z.boolean().describe('Whether this request belongs to it'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;
