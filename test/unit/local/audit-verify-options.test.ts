import { expect, it } from 'vitest';
import { readAuditVerifyOptions } from '#local/audit-verify-options';
import { BadOption } from '#local/given-settings';

const read = (args: string) => readAuditVerifyOptions(args.split(' ').filter(Boolean), {});

it('means the data folder of this machine unless told otherwise', () => {
  expect(read('')).toEqual({ place: { type: 'here', dataFolder: '.alphapulse' } });
});

it('goes to AWS with a stage, and takes files to compare with and to keep', () => {
  expect(read('--stage prod --expect before.json --save after.json')).toEqual({
    place: { type: 'aws', stage: 'prod', env: {} },
    expectFrom: 'before.json',
    saveTo: 'after.json',
  });
});

it.each([
  ['--save', '--save needs a value; see --help.'],
  ['--queue x', 'There is no flag --queue; see --help.'],
])('refuses "%s"', (args, told) => {
  expect(() => read(args)).toThrow(new BadOption(told));
});
