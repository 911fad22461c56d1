import { describe, expect, it } from 'vitest';
import { BadOption } from '#local/given-settings';
import { readRedriveOptions } from '#local/redrive-options';

const read = (args: string, environment: Record<string, string> = {}) =>
  readRedriveOptions(args.split(' ').filter(Boolean), environment);

describe('the redrive command', () => {
  it('means the data folder of this machine and every dead letter unless told otherwise', () => {
    expect(read('--queue alerts-dead')).toEqual({
      origin: {
        type: 'stream',
        deadLetters: 'alerts-dead',
        consumer: 'alerts',
        kinds: ['ticker', 'notification'],
      },
      max: Number.POSITIVE_INFINITY,
      place: { type: 'here', dataFolder: '.alphapulse' },
    });
  });

  it('takes the data folder from the environment, and rather from its flag', () => {
    const environment = { ALPHAPULSE_DATA: '/there' };
    expect(read('--queue push-dead', environment)).toMatchObject({ place: { dataFolder: '/there' } });
    expect(read('--queue push-dead --data here', environment)).toMatchObject({ place: { dataFolder: 'here' } });
  });

  it('goes to AWS with a stage, as the profile and in the region that are named', () => {
    expect(read('--queue=deliveries-dead --stage=prod --max=5 --profile ops --region eu-west-1')).toEqual({
      origin: { type: 'queue', deadLetters: 'deliveries-dead', queue: 'deliveries' },
      max: 5,
      place: { type: 'aws', stage: 'prod', env: { AWS_PROFILE: 'ops', AWS_REGION: 'eu-west-1' } },
    });
  });

  it('knows the dead letters of schedules', () => {
    expect(read('--queue schedules-dead')).toMatchObject({ origin: { type: 'schedule' } });
  });

  it('shows its usage', () => {
    expect(read('--help')).toBe('help');
  });

  it.each([
    ['', '--queue is needed: account-sync-dead, alerts-dead, push-dead, deliveries-dead, schedules-dead.'],
    ['--queue alert-dead', 'There are no dead letters "alert-dead", perhaps alerts-dead.'],
    [
      '--queue deliveries',
      'There are no dead letters "deliveries"; there are account-sync-dead, alerts-dead, push-dead, deliveries-dead, schedules-dead.',
    ],
    ['--queue', '--queue needs a value; see --help.'],
    ['--queue alerts-dead --max 0', '--max must be a whole number from 1, not "0".'],
    ['--queue alerts-dead --max many', '--max must be a whole number from 1, not "many".'],
    ['--queue alerts-dead --stage test', '--stage must be dev or prod, not "test".'],
    [
      '--queue alerts-dead --stage dev --data x',
      '--stage is a deployment on AWS and --data a folder: give one of them.',
    ],
    ['--queue alerts-dead --region eu-west-1', '--region needs --stage.'],
    ['--queue alerts-dead --all', 'There is no flag --all; see --help.'],
    ['alerts-dead', 'Unexpected argument "alerts-dead"; see --help.'],
  ])('refuses "%s"', (args, told) => {
    expect(() => read(args)).toThrow(new BadOption(told));
  });
});
