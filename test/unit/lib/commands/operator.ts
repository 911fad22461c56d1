import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RememberedSettings } from '../../../../lib/commands/answers.ts';
import type { AwsAccount } from '../../../../lib/commands/aws-account.ts';
import type { Surroundings } from '../../../../lib/commands/deploy.ts';

interface Circumstances {
  /** What the person types, in order; `undefined` when nobody is there. */
  readonly answers?: readonly string[] | undefined;
  /** Where the credentials lead. */
  readonly environment?: string;
  readonly rememberedText?: string;
  /** What the CDK's command prints when it fails, by its subcommand: each text fails one run. */
  readonly failures?: Readonly<Record<string, readonly string[]>>;
  /** What the account itself answers. */
  readonly account?: Partial<AwsAccount>;
}

/** A person with a CDK command that writes what the real one would write. */
export const operator = ({
  answers,
  environment = 'aws://111122223333/eu-west-1',
  rememberedText,
  failures = {},
  account = {},
}: Circumstances) => {
  const folder = mkdtempSync(join(tmpdir(), 'alphapulse-operator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'remembered.json');
  if (rememberedText !== undefined) writeFileSync(file, rememberedText);
  const left = Object.fromEntries(Object.entries(failures).map(([command, texts]) => [command, [...texts]]));
  const typed = [...(answers ?? [])];
  const said: string[] = [];
  const ran: string[][] = [];

  const write = (args: readonly string[]): void => {
    const after = (option: string): string => args[args.indexOf(option) + 1] ?? '';
    const artifacts = Object.fromEntries(['dev', 'prod'].map((stage) => [`alphapulse-${stage}`, { environment }]));
    if (args[0] === 'synth') {
      mkdirSync(after('--output'));
      writeFileSync(join(after('--output'), 'manifest.json'), JSON.stringify({ artifacts }));
    }
    if (args.includes('--outputs-file')) {
      const urls = { HttpUrl: 'https://api.test', WebSocketUrl: 'wss://live.test' };
      writeFileSync(after('--outputs-file'), JSON.stringify({ 'alphapulse-dev': urls, 'alphapulse-prod': urls }));
    }
  };

  const surroundings: Surroundings = {
    folder,
    account: () => ({
      concurrentExecutions: async () => 1000,
      deleteSecrets: async (prefix) => ran.push(['delete-secrets', prefix]),
      ...account,
    }),
    remembered: new RememberedSettings(file),
    terminal: {
      isInteractive: answers !== undefined,
      say: (text) => said.push(text),
      ask: async (question) => {
        said.push(question);
        const answer = typed.shift();
        if (answer === undefined) throw new Error(`Nothing to answer to: ${question}`);
        return answer;
      },
    },
    cdk: async (args) => {
      ran.push([...args]);
      const failure = left[args[0] ?? '']?.shift();
      if (failure !== undefined) return { exitCode: 1, output: failure };
      write(args);
      return { exitCode: 0, output: '' };
    },
  };
  return {
    surroundings,
    said: () => said.join('\n'),
    /** The subcommands that ran, each with the stacks it was told. */
    ran: () =>
      ran.map(([command, ...rest]) => [command, ...rest.filter((part) => /^(alphapulse|aws:)/.test(part))].join(' ')),
    /** The settings that the templates were made with. */
    context: () => {
      const synth = ran.find(([command]) => command === 'synth') ?? [];
      return synth.filter((_, position) => synth[position - 1] === '-c');
    },
    remembered: () => JSON.parse(readFileSync(file, 'utf8')),
  };
};
