/**
 * A token bucket, kept as the time at which it is full again (the virtual scheduling of ITU-T I.371): one number, so that
 * taking from it is one conditional write. It refills by one millisecond per millisecond, so charges are in milliseconds
 * too. No window of W ms sees more than the depth + W taken.
 */

/**
 * How long a charge has to wait, ms; 0 when it can be taken now. One that is larger than the bucket waits until that is full.
 * @param fullAt when the bucket is full again, epoch ms
 */
export const waitOf = (fullAt: number, now: number, chargeMs: number, depthMs: number): number =>
  Math.max(0, fullAt - now - Math.max(0, depthMs - chargeMs));

/** When the bucket is full again after a charge was taken, epoch ms. */
export const fullAfter = (fullAt: number, now: number, chargeMs: number): number => Math.max(fullAt, now) + chargeMs;
