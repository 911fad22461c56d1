import { describe, expect, it } from 'vitest';
import { failed, untried } from '#shared/accounts/sync/steps';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { systemRandom as random } from '#shared/platform/system';

/** Seconds until a step is tried again that failed so often before. */
const waitOf = (failures: number, failure: VenueFailure, retryAfterMs?: number): number => {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  const error = new VenueError('binance', failure, 'binance says no', options);
  return (failed({ random }, { ...untried, failures }, 0, 0, error).state.nextTryAt ?? Number.NaN) / 1000;
};

describe('a step that fails again and again', () => {
  it('comes back within a minute or so where it only waits for room at its venue', () => {
    expect(waitOf(20, 'rate-limited', 6000)).toBeLessThanOrEqual(66);
  });

  it('keeps the time that its venue said in full', () => {
    expect(waitOf(0, 'rate-limited', 500_000)).toBeGreaterThanOrEqual(500);
  });

  it('comes back ever later, after a quarter of an hour at most', () => {
    expect(waitOf(0, 'retryable')).toBeLessThanOrEqual(5);
    expect(waitOf(20, 'retryable')).toBeGreaterThanOrEqual(450);
    expect(waitOf(20, 'retryable')).toBeLessThanOrEqual(900);
  });
});
