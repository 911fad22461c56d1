import { describe, expect, it } from 'vitest';
import { functions } from '../../../functions/manifest.ts';
import { documentTable } from '../../support/security-document.ts';
import { everything, type Json, lambdaOf, listOf, stateful, statementsOf, textOf } from './templates.ts';

const secretNames = Object.entries(stateful).flatMap(([id, { Type, Properties }]) =>
  Type === 'AWS::SecretsManager::Secret' ? [[id, String(Properties.Name).split('/')[1] ?? '']] : [],
);

/** What a statement's resource is called in the document: a secret, or a family of them. */
const secretOf = (arn: string): string | undefined =>
  new Map(secretNames as [string, string][]).get(arn) ?? /:secret:[^/]+\/([\w-]+)\/\*$/.exec(arn)?.[1];

const roleOf = (name: string): Json => everything[lambdaOf(name).properties.Role['Fn::GetAtt'][0]]?.Properties ?? {};
const actionsOf = (name: string): string[] =>
  statementsOf(roleOf(name))
    // What is allowed for some keys alone is no power over the table.
    .filter(({ Effect, Condition }) => Effect === 'Allow' && Condition?.['ForAllValues:StringLike'] === undefined)
    .flatMap(({ Action }) => listOf<string>(Action));

/** The functions whose role allows one of these actions, by secret. */
const allowed = (...actions: readonly string[]): Map<string, string[]> => {
  const by = new Map<string, string[]>();
  for (const { name } of functions) {
    for (const { Action, Resource } of statementsOf(roleOf(name))) {
      if (!listOf<string>(Action).some((action) => actions.includes(action))) continue;
      for (const arn of listOf<Json | string>(Resource)) {
        const secret = secretOf(textOf(arn)) ?? textOf(arn);
        by.set(secret, [...new Set([...(by.get(secret) ?? []), name])].toSorted());
      }
    }
  }
  return by;
};

const names = (cell: string | undefined): string[] =>
  [...(cell ?? '').matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name);

describe('what functions may do beside that', () => {
  it.each(documentTable('Who does what else'))('%s: as docs/security.md says', (permission, documented) => {
    const action = /`([\w-]+:\w+)`/.exec(permission ?? '')?.[1] ?? '';
    const may = functions.map(({ name }) => name).filter((name) => actionsOf(name).includes(action));
    const told = documented === 'every function' ? functions.map(({ name }) => name) : names(documented);
    expect(may.toSorted()).toEqual(told.toSorted());
  });
});

describe('the secrets of a deployment', () => {
  const documented = documentTable('Who reads which secret');
  const columnOf = (column: number) =>
    new Map(
      documented
        .map((row) => [names(row[0])[0] ?? '', names(row[column]).toSorted()] as const)
        .filter(([, readers]) => readers.length > 0),
    );

  it('are read by the functions that docs/security.md names, and by no others', () => {
    expect(allowed('secretsmanager:GetSecretValue')).toEqual(columnOf(2));
  });

  it('are changed by the functions that docs/security.md names, and by no others', () => {
    expect(allowed('secretsmanager:PutSecretValue', 'secretsmanager:CreateSecret')).toEqual(columnOf(3));
  });

  it('are deleted, listed and opened to others by no function', () => {
    const actions = functions.flatMap(({ name }) => actionsOf(name));
    expect(new Set(actions.filter((action) => action.startsWith('secretsmanager:')))).toEqual(
      new Set(['GetSecretValue', 'PutSecretValue', 'CreateSecret'].map((action) => `secretsmanager:${action}`)),
    );
  });
});
