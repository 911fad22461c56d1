import * as z from 'zod';

export const OrderSide = z.enum(['buy', 'sell']);
export type OrderSide = z.infer<typeof OrderSide>;

/** The types of order that can be placed. */
export const OrderType = z.enum(['market', 'limit', 'stop', 'stop_limit']);
export type OrderType = z.infer<typeof OrderType>;

/**
 * The state of an order. It is stored (`accepted`) before it is sent (`sending`); without an answer it is `unknown` until
 * the venue is found to have it or not (`absent`). `never_sent`: stopped before it was sent. `rejected`: refused by the venue.
 */
export const OrderStatus = z.enum([
  'accepted',
  'sending',
  'open',
  'partial',
  'filled',
  'canceled',
  'expired',
  'rejected',
  'never_sent',
  'unknown',
  'absent',
]);
export type OrderStatus = z.infer<typeof OrderStatus>;
