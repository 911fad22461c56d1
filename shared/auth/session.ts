import * as z from 'zod';

/** Somebody's login, as they see it in the list of their sessions. */
export const Session = z
  .strictObject({
    id: z.string(),
    device: z.string().describe('What the client said it is, at login'),
    address: z.string().describe('Where it was used last'),
    createdAt: z.int().describe('Epoch milliseconds'),
    lastUsedAt: z.int().describe('Login or last refresh, epoch milliseconds'),
    current: z.boolean().describe('Whether it is the session of this request'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;
