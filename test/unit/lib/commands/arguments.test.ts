import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../../lib/commands/arguments.ts';

describe('arguments of npm run deploy', () => {
  it('name the stage, settings, and how to sign in', () => {
    const args = [
      '--stage',
      'prod',
      '-c',
      'venues=binance,kraken',
      '-c',
      'mailFrom=a@example.com',
      '--profile',
      'work',
    ];
    expect(readArguments([...args, '--region', 'eu-west-1', '--yes'])).toEqual({
      stage: 'prod',
      settings: { venues: 'binance,kraken', mailFrom: 'a@example.com' },
      yes: true,
      withData: false,
      env: { AWS_PROFILE: 'work', AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-1' },
    });
  });

  it('keep what stands behind the first equals sign', () => {
    const venueUrls = '{"binance":"https://proxy.example.com/?a=b"}';
    expect(readArguments(['--stage', 'dev', '-c', `venueUrls=${venueUrls}`])).toMatchObject({
      settings: { venueUrls },
    });
  });

  it.each([
    [[], 'Say which stage: --stage dev or --stage prod.'],
    [['--stage'], '--stage needs a value.'],
    [['--stage', 'qa'], 'There is no stage "qa"; there are dev and prod.'],
    [['--stage', 'dev', '--force'], 'There is no option --force; --help lists those there are.'],
    [['--stage', 'dev', '--yes=1'], '--yes takes no value.'],
    [['dev'], '"dev" is not an option; --help lists them.'],
    [['--stage', 'dev', '-c', 'venue=x'], /^There is no setting "venue"; there are venues, /],
    [['--stage', 'dev', '-c', 'data=delete'], /^There is no setting "data"; there are venues, /],
    [['--stage', 'dev', '-c', 'venues'], '-c venues needs a value: -c venues=…'],
    [['--stage', 'dev', '-c', 'stage=prod'], 'The stage is not a setting: use --stage.'],
    [['--stage', 'dev', '--with-data'], 'There is no option --with-data here.'],
  ])('%j is answered in a plain sentence', (args, sentence) => {
    expect(() => readArguments(args)).toThrow(sentence);
  });
});
