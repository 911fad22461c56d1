import * as z from 'zod';

/** Path parameters of routes that name one resource by its id, as in `/api/users/{id}`. */
export const IdParams = z.strictObject({ id: z.uuid() });
