import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdk from '../../../cdk.json' with { type: 'json' };
import { functions } from '../../../functions/manifest.ts';
import { readSettings } from '../../../lib/settings.ts';
import { addSystem, type System } from '../../../lib/system.ts';

/** A part of a template. */
export type Json = ReturnType<Template['toJSON']>;
export interface Resource {
  readonly Type: string;
  readonly Properties: Json;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** What a deployment is given besides its settings. */
interface Checks {
  /** Has CloudFormation's own rules look at the templates as well, which takes most of a synthesis. */
  readonly validate: boolean;
}

/** Hands over a deployment that is not synthesized yet, in a folder that is gone afterwards. */
export const compose = <T>(
  given: Readonly<Record<string, string>>,
  { validate }: Checks,
  use: (deployment: System & { readonly app: App }) => T,
): T => {
  const folder = mkdtempSync(join(tmpdir(), 'alphapulse-template-'));
  try {
    const bundles = join(folder, 'bundles');
    for (const { name } of functions) {
      mkdirSync(join(bundles, name), { recursive: true });
      writeFileSync(join(bundles, name, 'index.mjs'), 'export const handler = async () => {};');
    }
    const app = new App({
      context: cdk.context,
      outdir: join(folder, 'cdk.out'),
      builtinCloudFormationValidation: validate,
    });
    const settings = readSettings((name) => given[name]);
    return use({ app, ...addSystem(app, { settings, functions, bundles, version: '1.2.3' }) });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The templates of a deployment. That its settings give templates without findings is shown in system.test.ts. */
export const synthesize = (given: Readonly<Record<string, string>>) =>
  compose(given, { validate: false }, ({ state, stateless }) => {
    const resourcesOf = (template: Template): Record<string, Resource> => template.toJSON().Resources;
    const statelessTemplate = Template.fromStack(stateless);
    const stateTemplate = Template.fromStack(state);
    return {
      state,
      outputs: stateTemplate.toJSON().Outputs as Json,
      stateful: resourcesOf(stateTemplate),
      stateless: resourcesOf(statelessTemplate),
      urls: statelessTemplate.toJSON().Outputs as Json,
    };
  });

/** A development deployment with two venues. */
export const devSettings = { venues: 'binance,kraken', operatorMail: 'ops@example.com' };
export const prodSettings = {
  stage: 'prod',
  mailFrom: 'mail@example.com',
  allowedOrigins: 'https://app.example.com',
};
export const dev = synthesize(devSettings);
export const prod = synthesize(prodSettings);

export const { stateful, stateless } = dev;

export const ofType = (type: string, resources = stateless): [id: string, resource: Resource][] =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);
export const propertiesOf = (type: string, resources = stateless): Json[] =>
  ofType(type, resources).map(([, { Properties }]) => Properties);
export const everything = { ...stateful, ...stateless };

/** A value of the template as text: `Ref` as the id, `Fn::GetAtt` as `id.attribute`, imports as what they import. */
export const textOf = (value: Json | string): string => {
  if (typeof value === 'string') return value;
  if (value.Ref !== undefined) return value.Ref;
  if (value['Fn::GetAtt'] !== undefined) return value['Fn::GetAtt'].join('.');
  if (value['Fn::Join'] !== undefined) return value['Fn::Join'][1].map(textOf).join(value['Fn::Join'][0]);
  const name = value['Fn::ImportValue'];
  const imported = Object.values(dev.outputs).find((output) => output.Export?.Name === name);
  return imported === undefined ? JSON.stringify(value) : textOf(imported.Value);
};

/** IAM writes a list of one as the one. */
export const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

export const [tableId = ''] = ofType('AWS::DynamoDB::Table', stateful)[0] ?? [];
/** The id of the queue of this name; empty when there is none. */
export const queueId = (name: string): string =>
  Object.keys(stateless).find((id) => new RegExp(`^Queues${name.replaceAll('-', '')}[0-9A-F]{8}$`).test(id)) ?? '';
/** The function of a manifest entry, found by its description. */
export const lambdaOf = (name: string): { readonly id: string; readonly properties: Json } => {
  const found = ofType('AWS::Lambda::Function').find(([, { Properties }]) =>
    Properties.Description.startsWith(`${name} `),
  );
  if (found === undefined) throw new Error(`The template has no function ${name}`);
  return { id: found[0], properties: found[1].Properties };
};

/** The statements of a role's policies. */
export const statementsOf = (role: Json): Json[] =>
  (role.Policies ?? []).flatMap((policy: Json) => policy.PolicyDocument.Statement);
