/** A user's id, a UUIDv7. */
export type UserId = string & { readonly __brand: 'UserId' };
