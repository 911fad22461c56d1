import * as z from 'zod';

/** How urgent a notification is. */
export const Severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof Severity>;
