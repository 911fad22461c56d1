import { type App, type Environment, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { NamedEntry } from './deployed-function.ts';
import type { Settings } from './settings.ts';
import { stackNames } from './stack-names.ts';
import { StatefulStack } from './stateful-stack.ts';
import { StatelessStack } from './stateless-stack.ts';

export interface System {
  readonly state: StatefulStack;
  readonly stateless: StatelessStack;
}

/**
 * Puts one deployment into the app: what must be kept, and everything else. Synthesis fails on what cdk-nag finds and
 * no construct accepts with a reason.
 */
export const addSystem = (
  app: App,
  props: {
    readonly settings: Settings;
    readonly functions: readonly NamedEntry[];
    /** Folder that holds each function's bundle in a folder of its name. */
    readonly bundles: string;
    readonly version: string;
    /** The account and region; without it the templates fit any. */
    readonly env?: Environment;
  },
): System => {
  const { settings, functions, env } = props;
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const { state: stateName, stateless: statelessName } = stackNames(settings.stage);
  const tags = { application: 'alphapulse', stage: settings.stage };
  const state = new StatefulStack(app, stateName, {
    description: 'AlphaPulse: the table and the secrets',
    tags,
    settings,
    functions,
    ...(env && { env }),
  });
  const stateless = new StatelessStack(app, statelessName, {
    description: 'AlphaPulse: functions, APIs, schedules, queues, alarms',
    tags,
    ...props,
    state,
  });
  return { state, stateless };
};
