import { describe, expect, it } from 'vitest';
import { destroy } from '../../../../lib/commands/destroy.ts';
import { operator } from './operator.ts';

const dev = { stage: 'dev', settings: {}, yes: false, withData: false } as const;

describe('npm run destroy', () => {
  it('removes what can be made again and keeps the data', async () => {
    const person = operator({ answers: ['y'] });
    await destroy(dev, person.surroundings);
    expect(person.ran()).toEqual(['synth', 'destroy alphapulse-dev']);
    expect(person.said()).toContain('The table and the secrets are kept');
  });

  it('removes nothing without a yes', async () => {
    const person = operator({ answers: [''] });
    await destroy(dev, person.surroundings);
    expect(person.ran()).toEqual(['synth']);
  });

  it('deletes data when the name of the stage is typed', async () => {
    const person = operator({ answers: ['dev'] });
    await destroy({ ...dev, withData: true }, person.surroundings);
    expect(person.context()).toContain('data=delete');
    expect(person.ran()).toEqual([
      'synth',
      'destroy alphapulse-dev',
      'deploy alphapulse-dev-state',
      'destroy alphapulse-dev-state',
      'delete-secrets alphapulse-dev-state/exchange-credentials/',
    ]);
  });

  it('says which secrets may be left when they could not be deleted', async () => {
    const deleteSecrets = () => Promise.reject(Object.assign(new Error(), { name: 'AccessDeniedException' }));
    const person = operator({ answers: ['dev'], account: { deleteSecrets } });
    await expect(destroy({ ...dev, withData: true }, person.surroundings)).rejects.toThrow(
      /alphapulse-dev-state\/exchange-credentials\/ may be left \(AccessDeniedException\)/,
    );
  });

  it('deletes no data for another answer', async () => {
    const person = operator({ answers: ['y'] });
    await destroy({ ...dev, withData: true }, person.surroundings);
    expect(person.ran()).toEqual(['synth']);
  });

  it('deletes no data where nobody can be asked, whatever is agreed to', async () => {
    const person = operator({});
    await expect(destroy({ ...dev, withData: true, yes: true }, person.surroundings)).rejects.toThrow(
      'somebody who types the name of the stage',
    );
    expect(person.ran()).toEqual([]);
  });

  it('needs no settings to remove production', async () => {
    const person = operator({});
    await destroy({ ...dev, stage: 'prod', yes: true }, person.surroundings);
    expect(person.ran()).toEqual(['synth', 'destroy alphapulse-prod']);
  });
});
