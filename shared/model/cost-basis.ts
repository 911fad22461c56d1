import * as z from 'zod';

/** How the cost of what is sold is determined. */
export const CostBasisMethod = z.enum(['fifo', 'lifo', 'hifo', 'average']);
export type CostBasisMethod = z.infer<typeof CostBasisMethod>;
