import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { readSettings, SETTING_NAMES, type Settings, SettingsError } from '../settings.ts';
import { CommandError, type GivenSettings } from './arguments.ts';
import type { Terminal } from './terminal.ts';

const Answers = z.partialRecord(z.enum(['dev', 'prod']), z.partialRecord(z.enum(SETTING_NAMES), z.string()));

/** The settings of each stage as they were given last, in a file. None of them is secret; an empty one means the default. */
export class RememberedSettings {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws {CommandError} the file is not what was written */
  async of(stage: Settings['stage']): Promise<GivenSettings> {
    return (await this.#read())[stage] ?? {};
  }

  async remember(stage: Settings['stage'], settings: GivenSettings): Promise<void> {
    const all = { ...(await this.#read()), [stage]: settings };
    await writeFile(this.#file, `${JSON.stringify(all, null, 2)}\n`);
  }

  async #read(): Promise<z.infer<typeof Answers>> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    try {
      return Answers.parse(JSON.parse(text));
    } catch {
      throw new CommandError(`${this.#file} is not valid; correct it, or delete it to answer the questions again.`);
    }
  }
}

interface Question {
  readonly setting: 'mailFrom' | 'operatorMail' | 'allowedOrigins' | 'venues';
  readonly text: string;
  /** What an empty answer means; undefined where one is needed. */
  readonly otherwise: (stage: Settings['stage']) => string | undefined;
}

const questions: readonly Question[] = [
  {
    setting: 'mailFrom',
    text: 'Address that alerts are mailed from (SES sends it a link to confirm)',
    otherwise: (stage) => (stage === 'dev' ? 'no mails' : undefined),
  },
  {
    setting: 'operatorMail',
    text: 'Address that gets the alarms (SNS sends it a link to confirm)',
    otherwise: () => 'nobody',
  },
  {
    setting: 'allowedOrigins',
    text: 'Origins of the web apps that may call the API, separated by commas',
    otherwise: (stage) => (stage === 'dev' ? 'http://localhost:5173' : undefined),
  },
  {
    setting: 'venues',
    text: 'Exchanges to watch, as ccxt names them, separated by commas',
    otherwise: () => 'binance',
  },
];

/** Asks for each setting that must be known and is not, until its answer can be used. */
export const askForMissing = async (
  terminal: Terminal,
  stage: Settings['stage'],
  known: GivenSettings,
): Promise<GivenSettings> => {
  const answers: Record<string, string> = { ...known };
  for (const { setting, text, otherwise } of questions) {
    if (answers[setting] !== undefined) continue;
    const fallback = otherwise(stage);
    for (;;) {
      const answer = (await terminal.ask(`${text}${fallback === undefined ? '' : ` [${fallback}]`}: `)).trim();
      const complaint =
        answer === '' && fallback === undefined ? 'is needed' : complaintAbout(stage, { [setting]: answer }, setting);
      if (complaint === undefined) {
        answers[setting] = answer;
        break;
      }
      terminal.say(`  That ${complaint}.`);
    }
  }
  return answers;
};

const complaintAbout = (stage: Settings['stage'], given: GivenSettings, setting: string): string | undefined => {
  try {
    readSettings((name) => (name === 'stage' ? stage : given[name]));
    return undefined;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.complaints.find((complaint) => complaint.setting === setting)?.message;
  }
};
