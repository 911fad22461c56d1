import { Config, everySetting } from '../config/config.ts';
import { fromText } from '../config/setting.ts';
import type { QueueName } from '../queues.ts';

/** A function's environment: what the deployment set. */
export type Environment = Readonly<Record<string, string | undefined>>;

const versionVariable = 'ALPHAPULSE_VERSION';

/**
 * The configuration of this deployment. An empty variable counts as missing.
 * @throws {Error} naming every variable that is missing or wrong, without its value
 */
export const readConfig = (environment: Environment): Config => {
  const textOf = (variable: string): string | undefined => environment[variable] || undefined;
  const variables: Record<string, string> = { version: versionVariable };
  const sections: Record<string, Record<string, unknown>> = {};
  const complaints: string[] = [];
  const complain = (variable: string, path: readonly PropertyKey[], message: string): void => {
    const within = path.length > 0 ? ` (${path.join('.')})` : '';
    complaints.push(`${variable}${within}: ${textOf(variable) === undefined ? 'is missing' : message}`);
  };
  for (const { section, name, setting } of everySetting()) {
    sections[section] ??= {};
    if (setting.variable === undefined) continue;
    variables[`${section}.${name}`] = setting.variable;
    const text = textOf(setting.variable);
    if (text === undefined) continue;
    const read = fromText(setting).safeParse(text);
    if (read.success) sections[section][name] = read.data;
    else for (const { path, message } of read.error.issues) complain(setting.variable, path, message);
  }
  const config = Config.safeParse({ version: textOf(versionVariable), ...sections });
  if (config.success && complaints.length === 0) return config.data;
  for (const { path, message } of config.error?.issues ?? []) {
    const variable = variables[path.slice(0, 2).join('.')] ?? '';
    if (textOf(variable) === undefined) complain(variable, [], message);
  }
  throw new Error(`The environment does not configure AlphaPulse: ${complaints.join('; ')}`);
};

/** The variables that name the resources a function may use; the deployment sets those that its manifest entry grants. */
export const RESOURCE_VARIABLES = {
  table: 'TABLE_NAME',
  secretsPrefix: 'SECRETS_PREFIX',
  webSocketEndpoint: 'WEBSOCKET_ENDPOINT',
  /** May be missing: mail is then sent without a configuration set. */
  mailConfigurationSet: 'MAIL_CONFIGURATION_SET',
  /** `QUEUE_URL_DELIVERIES_DEAD` for the queue `deliveries-dead`. */
  queueUrl: (queue: QueueName) => `QUEUE_URL_${queue.toUpperCase().replaceAll('-', '_')}`,
} as const;

/** @throws {Error} the variable is missing or empty */
export const required = (environment: Environment, variable: string): string => {
  const value = environment[variable];
  if (!value) throw new Error(`The environment variable ${variable} is missing`);
  return value;
};
