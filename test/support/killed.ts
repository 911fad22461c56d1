import { Unavailable } from '#shared/platform/errors';
import type { TestPlatform } from './test-platform.ts';

/**
 * Runs work whose process is killed right before or right after its write of this number, counted from 0: nothing that it does
 * to the table from then on is made.
 * @returns whether it had so many writes
 */
export const killed = async (
  { table, awake }: TestPlatform,
  { write, when }: { readonly write: number; readonly when: 'before' | 'after' },
  work: () => Promise<unknown>,
): Promise<boolean> => {
  let writes = 0;
  let isKilled = false;
  const die = (): never => {
    isKilled = true;
    throw new Unavailable('killed');
  };
  table.before = (call) => {
    if (isKilled || (when === 'before' && call.writes && writes++ === write)) die();
  };
  table.after = (call) => {
    if (when === 'after' && call.writes && writes++ === write) die();
  };
  await awake(work()).catch(() => {});
  table.before = () => {};
  table.after = () => {};
  return isKilled;
};
