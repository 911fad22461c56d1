import type { Settings } from './settings.ts';

/** The names of a deployment's stacks; apart from the stacks, so that a command that looks into one does not load the CDK. */
export const stackNames = (stage: Settings['stage']) =>
  ({ state: `alphapulse-${stage}-state`, stateless: `alphapulse-${stage}` }) as const;
