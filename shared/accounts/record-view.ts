import type { Item } from '#shared/platform/table';

/** The attributes of a stored item that its schema names. */
export const shown = <T>(schema: { readonly shape: Readonly<Record<string, unknown>> }, item: Item): T =>
  Object.fromEntries(Object.keys(schema.shape).map((name) => [name, item[name]])) as T;
