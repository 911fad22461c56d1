import { Config, everySetting, type SomeSettings, withSettings } from './config.ts';

/** What the settings are on one machine where it differs from a deployment. */
const defaults = (): SomeSettings => {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { section, name, setting } of everySetting()) {
    sections[section] ??= {};
    if (setting.oneMachine?.default !== undefined) sections[section][name] = setting.oneMachine.default;
  }
  return sections as SomeSettings;
};

/**
 * The configuration of a server on one machine; what is left out has its default there.
 * @throws {z.ZodError} a value is out of its limits
 */
export const oneMachineConfig = (version: string, settings: SomeSettings): Config =>
  Config.parse({ version, ...withSettings(defaults(), settings) });
