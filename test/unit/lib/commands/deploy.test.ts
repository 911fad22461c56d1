import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deploy } from '../../../../lib/commands/deploy.ts';
import { operator } from './operator.ts';

const dev = { stage: 'dev', settings: {}, yes: false } as const;
const known = JSON.stringify({
  dev: { mailFrom: 'a@example.com', operatorMail: '', allowedOrigins: '', venues: 'kraken' },
});

describe('npm run deploy', () => {
  it('asks what it must know, deploys, and remembers the answers', async () => {
    const person = operator({ answers: ['a@example.com', 'ops@example.com', '', 'binance,kraken', 'y'] });
    await deploy(dev, person.surroundings);
    expect(person.context()).toEqual([
      'stage=dev',
      'mailFrom=a@example.com',
      'operatorMail=ops@example.com',
      'venues=binance,kraken',
      expect.stringMatching(/^bootstrapCodeHash=/),
    ]);
    expect(person.remembered().dev).toMatchObject({ mailFrom: 'a@example.com', venues: 'binance,kraken' });
    expect(person.ran()).toEqual(['synth', 'deploy']);
  });

  it('asks again after an answer that can not be used', async () => {
    const person = operator({ answers: ['nobody', '', '', '', 'binanec', 'binance', 'y'] });
    await deploy(dev, person.surroundings);
    expect(person.said()).toContain('That must be a mail address.');
    expect(person.said()).toContain('That must be exchanges of ccxt, separated by commas, or sim.');
  });

  it('does not ask what it was told before, and does not forget a setting given once', async () => {
    const person = operator({ answers: ['y'], rememberedText: known });
    await deploy({ ...dev, settings: { symbols: 'BTC/USD' } }, person.surroundings);
    expect(person.context()).toEqual([
      ...['stage=dev', 'mailFrom=a@example.com', 'venues=kraken', 'symbols=BTC/USD'],
      expect.stringMatching(/^bootstrapCodeHash=/),
    ]);
    expect(person.remembered().dev).toMatchObject({ venues: 'kraken', symbols: 'BTC/USD' });
  });

  it('says where it deploys to before it does', async () => {
    const person = operator({ answers: ['no'], rememberedText: known });
    await deploy(dev, person.surroundings);
    expect(person.said()).toContain('Deploy AlphaPulse dev to account 111122223333 in eu-west-1?');
    expect(person.ran()).toEqual(['synth']);
  });

  it('bootstraps an account that was never used with the CDK', async () => {
    const failure = 'SSM parameter /cdk-bootstrap/hnb659fds/version not found. Has the environment been bootstrapped?';
    const person = operator({ answers: ['y'], rememberedText: known, failures: { deploy: [failure] } });
    await deploy(dev, person.surroundings);
    expect(person.ran()).toEqual(['synth', 'deploy', 'bootstrap aws://111122223333/eu-west-1', 'deploy']);
  });

  it('ends with both URLs and what to do next', async () => {
    const person = operator({ rememberedText: known });
    await deploy({ ...dev, yes: true }, person.surroundings);
    expect(person.said()).toMatch(/https:\/\/api\.test\n.*wss:\/\/live\.test/);
    expect(person.said()).toContain('the first user is the admin');
    expect(person.said()).toContain('SES sent to a@example.com');
  });

  it('shows the code that the first user needs, once, and deploys its hash', async () => {
    const person = operator({ rememberedText: known });
    await deploy({ ...dev, yes: true }, person.surroundings);
    const code = /"bootstrapCode":"([\w-]{22})"/.exec(person.said())?.[1] ?? '';
    const hash = createHash('sha256').update(code).digest('hex');
    expect(person.context()).toContain(`bootstrapCodeHash=${hash}`);
    expect(person.remembered().dev.bootstrapCodeHash).toBe(hash);
    expect(JSON.stringify(person.remembered())).not.toContain(code);

    const again = operator({ rememberedText: JSON.stringify(person.remembered()) });
    await deploy({ ...dev, yes: true }, again.surroundings);
    expect(again.context()).toContain(`bootstrapCodeHash=${hash}`);
    expect(again.said()).not.toContain('"bootstrapCode"');
    expect(again.said()).toContain('-c bootstrapCodeHash= makes a new one');
  });

  it('makes another code where the one of before was never shown', async () => {
    const person = operator({ rememberedText: known, failures: { deploy: ['no'] } });
    await expect(deploy({ ...dev, yes: true }, person.surroundings)).rejects.toThrow();
    expect(person.remembered().dev.bootstrapCodeHash).toBeUndefined();
  });

  it.each([
    ['us-east-1', 'binance', '', /binance would not answer[\s\S]*eu-central-1 or ap-northeast-1/],
    ['us-west-2', 'kraken,bybit', '', /bybit would not answer/],
  ])('does not deploy to %s with %s', async (region, venues, venueUrls, sentence) => {
    const person = operator({ environment: `aws://111122223333/${region}`, rememberedText: known });
    const settings = { venues, venueUrls };
    await expect(deploy({ ...dev, settings, yes: true }, person.surroundings)).rejects.toThrow(sentence);
    expect(person.ran()).toEqual(['synth']);
  });

  it.each([
    ['eu-central-1', { venues: 'binance' }],
    ['us-east-1', { venues: 'kraken' }],
    ['us-east-1', { venues: 'binance', venueUrls: '{"binance":"https://proxy.example.com"}' }],
  ])('deploys to %s with %j', async (region, settings) => {
    const person = operator({ environment: `aws://111122223333/${region}`, rememberedText: known });
    await deploy({ ...dev, settings, yes: true }, person.surroundings);
    expect(person.ran()).toEqual(['synth', 'deploy']);
  });

  describe('in an account that may run few functions at once', () => {
    const inAccount = (concurrentExecutions: () => Promise<number>) =>
      operator({ rememberedText: known, account: { concurrentExecutions } });

    it('says what that means, and where there are more', async () => {
      const person = inAccount(async () => 10);
      await deploy({ ...dev, yes: true }, person.surroundings);
      expect(person.said()).toMatch(/may run 10 functions at once\.[\s\S]*Service Quotas/);
    });

    it('does not deploy more exchanges than leave room for requests', async () => {
      const person = inAccount(async () => 10);
      const settings = { venues: 'kraken,coinbase,okx,gate,kucoin,bitget' };
      await expect(deploy({ ...dev, settings, yes: true }, person.surroundings)).rejects.toThrow(/watch at most 5/);
      expect(person.ran()).toEqual(['synth']);
    });

    it('says nothing where there are enough, and goes on where it can not be read', async () => {
      const enough = inAccount(async () => 1000);
      const unknown = inAccount(() => Promise.reject(new Error('AccessDenied')));
      for (const { surroundings } of [enough, unknown]) await deploy({ ...dev, yes: true }, surroundings);
      expect(enough.said()).not.toContain('functions at once');
      expect(unknown.said()).toContain('could not be read');
    });
  });

  it('asks nothing with --yes, and says what production lacks', async () => {
    const person = operator({});
    await expect(deploy({ stage: 'prod', settings: {}, yes: true }, person.surroundings)).rejects.toThrow(
      /mailFrom=…: is needed in production/,
    );
    expect(person.ran()).toEqual([]);
  });

  it.each([
    ['nobody to ask', {}, /Nobody is here to answer questions/],
    ['no credentials', { answers: [], environment: 'aws://unknown-account/unknown-region' }, /No AWS credentials/],
    ['a file that is broken', { answers: [], rememberedText: '{' }, /is not valid; correct it/],
    [
      'missing permissions',
      { answers: ['y'], failures: { deploy: ['User is not authorized to perform: cloudformation:CreateChangeSet'] } },
      /Sign in as somebody who may deploy/,
    ],
    [
      'a session that ended',
      { answers: ['y'], failures: { deploy: ['ExpiredToken: The security token included in the request is expired'] } },
      /Sign in again/,
    ],
    [
      'a failed resource',
      { answers: ['y'], failures: { deploy: ['alphapulse-dev failed: ROLLBACK_COMPLETE'] } },
      /took the changes back/,
    ],
  ])('tells of %s in plain words', async (_, circumstances, sentence) => {
    const person = operator({ rememberedText: known, ...circumstances });
    await expect(deploy(dev, person.surroundings)).rejects.toThrow(sentence);
  });
});
