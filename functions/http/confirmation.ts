import { checkConfirmed } from '#shared/auth/confirmed-session';
import type { Platform } from '#shared/platform/ports';
import type { Caller } from './caller.ts';
import { HttpProblem } from './problem.ts';
import type { Route } from './route.ts';

/** Whether a request needs a confirmed session. */
const isNeeded = ({ confirmation = [] }: Pick<Route, 'confirmation'>, body: unknown): boolean =>
  confirmation === true ||
  (typeof body === 'object' && body !== null && confirmation.some((field) => Object.hasOwn(body, field)));

/**
 * Refuses a request that needs a confirmed session and has none.
 * @throws {HttpProblem} `forbidden`: the caller uses an API key
 * @throws {ConfirmationRequired | SessionEnded}
 */
export const requireConfirmation = async (
  platform: Pick<Platform, 'table' | 'clock'>,
  route: Pick<Route, 'confirmation'>,
  caller: Caller | undefined,
  body: unknown,
): Promise<void> => {
  if (caller === undefined || !isNeeded(route, body)) return;
  if (!('sessionId' in caller)) throw new HttpProblem('forbidden', 'This requires a login; API keys cannot do it.');
  await checkConfirmed(platform, caller.userId, caller.sessionId);
};
