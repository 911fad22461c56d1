import { parseArgs } from 'node:util';
import * as z from 'zod';
import { MarketSymbol, VenueId } from '#shared/model/symbols';
import { ACCOUNT_SYNC_SECONDS_DEFAULT, type Config } from '#shared/platform/ports';
import { isLoopback } from './host-check.ts';
import { nearest } from './nearest.ts';
import { LOG_LEVELS, type LogLevel } from './telemetry.ts';

/** The start command or its environment has a mistake. The message is one sentence for the person who made it. */
export class BadOption extends Error {
  override readonly name = 'BadOption';
}

/** How a person wants the server to run. */
export interface Options {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataFolder: string;
  /** Venues to watch, or `auto`: a live one where there is one. */
  readonly venues: readonly string[] | 'auto';
  /** Undefined where nothing was said. */
  readonly symbols: readonly string[] | undefined;
  readonly replay: { readonly files: readonly string[]; readonly speed: number };
  readonly venueUrls: Readonly<Record<string, string>>;
  readonly marketSyncSeconds: number;
  readonly accountSyncSeconds: number;
  readonly corsOrigins: readonly string[];
  readonly requestLimitFactor: number;
  readonly registration: Config['registration'];
  readonly mailFrom: string;
  /** Where the web app is, for links in mails. */
  readonly appUrl: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly logLevel: LogLevel;
}

export const usage = `Usage: npm start -- [options]

  --port 3000            port to listen on; 0 takes any free one
  --host 127.0.0.1       address to listen on
  --data .alphapulse     folder of the store and its keys
  --venue auto           auto, sim, replay or ccxt ids such as binance,kraken
  --symbols BTC/USDT,…   symbols to watch
  --replay FILE.csv …    recorded candles to play as the venue replay, such as BTCUSDT_1m.csv
  --speed 60             how much faster than time the candles are played
  --help                 this text

Environment (a flag wins): ALPHAPULSE_PORT, ALPHAPULSE_HOST, ALPHAPULSE_DATA, ALPHAPULSE_VENUE, ALPHAPULSE_SYMBOLS,
  ALPHAPULSE_VENUE_URLS    {"binance":"http://127.0.0.1:9001"}: replaces the origin of a venue's URLs
  ALPHAPULSE_SYNC_SECONDS  periods of the market and account sync, 5,60
  ALPHAPULSE_SMTP_URL      smtp://user:password@host:587: sends mails on as well as keeping them
  ALPHAPULSE_MAIL_FROM     sender of mails
  ALPHAPULSE_APP_URL       where the web app is, for links in mails: http://localhost:5173
  ALPHAPULSE_CORS_ORIGINS  origins whose pages may call the API, http://localhost:5173
  ALPHAPULSE_REQUEST_LIMIT_FACTOR  multiplies what callers may do in a minute, for load tests: 1
  ALPHAPULSE_REGISTRATION  open or first-user: who may register; open only on a loopback address by default
  ALPHAPULSE_LOG_LEVEL     ${LOG_LEVELS.join(', ')}
`;

const FLAGS = ['port', 'host', 'data', 'venue', 'symbols', 'replay', 'speed', 'help'] as const;
type Flag = (typeof FLAGS)[number];

const symbolsMax = 200;
const venuesMax = 10;
const filesMax = 50;
const marketSyncSecondsDefault = 5;

/** A number in a word that holds nothing else. */
const numberIn = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .refine((number) => number >= least && number <= most);

const listOf = (element: z.ZodType<string, string>, most: number) =>
  z
    .string()
    .transform((text) => [...new Set(text.split(',').map((part) => part.trim()))])
    .pipe(z.array(element).min(1).max(most));

const urlWith = (protocol: RegExp) => z.string().refine((text) => protocol.test(URL.parse(text)?.protocol ?? ''));
const origin = z.string().refine((text) => URL.parse(text)?.origin === text);

const Port = numberIn(0, 65_535).refine(Number.isInteger);
const Host = z.string().regex(/^[A-Za-z0-9.:_-]+$/);
const SyncSeconds = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.union([z.tuple([numberIn(0.05, 60)]), z.tuple([numberIn(0.05, 60), numberIn(1, 3600)])]))
  .transform(([market, account]) => ({ market, account }));
const VenueUrls = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.record(VenueId, urlWith(/^https?:$/)));

/**
 * Reads the start command and the environment; a flag wins over its variable.
 * @param exchanges ids of the exchanges that can be watched
 * @returns `help` when that was asked for
 * @throws {BadOption}
 */
export const readOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  exchanges: readonly string[],
): Options | 'help' => {
  const { flags, files } = readFlags(args);
  if (flags.has('help')) return 'help';
  const variable = (name: string): [source: string, text: string | undefined] => [
    `ALPHAPULSE_${name}`,
    environment[`ALPHAPULSE_${name}`] || undefined,
  ];
  const setting = (flag: Flag): [source: string, text: string | undefined] =>
    flags.has(flag) ? [`--${flag}`, flags.get(flag)] : variable(flag.toUpperCase());

  const speed = read(numberIn(0.001, 1_000_000), ['--speed', flags.get('speed')], 'a number above 0 such as 60');
  if (speed !== undefined && files.length === 0) throw new BadOption('--speed needs --replay with a file to play.');
  if (files.length > filesMax) throw new BadOption(`--replay plays at most ${filesMax} files.`);
  const syncSeconds = read(
    SyncSeconds,
    variable('SYNC_SECONDS'),
    'one or two periods in seconds such as 5 or 5,60 (0.05..60, 1..3600)',
  );
  const host = read(Host, setting('host'), 'an address such as 127.0.0.1') ?? '127.0.0.1';
  return {
    host,
    port: read(Port, setting('port'), 'a port, 0 to 65535') ?? 3000,
    dataFolder: setting('data')[1] ?? '.alphapulse',
    venues: readVenues(setting('venue'), files, exchanges),
    symbols: read(listOf(MarketSymbol, symbolsMax), setting('symbols'), 'a list of symbols such as BTC/USDT,ETH/USDT'),
    replay: { files, speed: speed ?? 60 },
    venueUrls:
      read(VenueUrls, variable('VENUE_URLS'), 'JSON such as {"binance":"http://127.0.0.1:9001"}, venues with URLs') ??
      {},
    marketSyncSeconds: syncSeconds?.market ?? marketSyncSecondsDefault,
    accountSyncSeconds: syncSeconds?.account ?? ACCOUNT_SYNC_SECONDS_DEFAULT,
    corsOrigins:
      read(listOf(origin, 20), variable('CORS_ORIGINS'), 'a list of origins such as http://localhost:5173') ?? [],
    requestLimitFactor:
      read(numberIn(0.1, 1_000_000), variable('REQUEST_LIMIT_FACTOR'), 'a number from 0.1 such as 10') ?? 1,
    // Other machines can't reach a loopback address, so that nobody registers whom the owner of this one did not let in.
    registration:
      read(z.enum(['open', 'first-user']), variable('REGISTRATION'), 'open or first-user') ??
      (isLoopback(host) ? 'open' : 'first-user'),
    mailFrom: variable('MAIL_FROM')[1] ?? 'AlphaPulse <alphapulse@localhost>',
    appUrl: read(urlWith(/^https?:$/), variable('APP_URL'), 'a URL such as https://app.example.com'),
    smtpUrl: read(urlWith(/^smtps?:$/), variable('SMTP_URL'), 'a URL that begins with smtp:// or smtps://', 'secret'),
    logLevel:
      read(z.string().toUpperCase().pipe(z.enum(LOG_LEVELS)), variable('LOG_LEVEL'), LOG_LEVELS.join(', ')) ?? 'WARN',
  };
};

/** @param showing `secret`: the message does not repeat what was given */
const read = <T>(
  schema: z.ZodType<T>,
  [source, text]: readonly [string, string | undefined],
  wanted: string,
  showing?: 'secret',
): T | undefined => {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new BadOption(`${source} must be ${wanted}${showing === undefined ? `, not ${JSON.stringify(text)}` : ''}.`);
};

const readVenues = (
  [source, text]: readonly [string, string | undefined],
  files: readonly string[],
  exchanges: readonly string[],
): Options['venues'] => {
  if (text === undefined) return files.length > 0 ? ['replay'] : 'auto';
  if (text === 'auto' && files.length === 0) return 'auto';
  const venues =
    read(listOf(VenueId, venuesMax), [source, text], 'auto, sim, replay or ccxt ids such as binance,kraken') ?? [];
  const known = ['sim', 'replay', ...exchanges];
  const unknown = venues.find((venue) => !known.includes(venue));
  if (unknown === 'auto') throw new BadOption(`${source}: auto stands alone and plays no files.`);
  if (unknown !== undefined) throw new BadOption(`${source}: there is no venue ${unknown}${hint(unknown, known)}.`);
  const plays = venues.includes('replay');
  if (plays && files.length === 0) throw new BadOption(`${source}: replay needs --replay with a file to play.`);
  if (!plays && files.length > 0) throw new BadOption(`--replay needs the venue replay, and ${source} leaves it out.`);
  return venues;
};

/** The flags with their values, and the files of every --replay. */
const readFlags = (args: readonly string[]): { flags: Map<Flag, string>; files: string[] } => {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(FLAGS.map((flag) => [flag, { type: flag === 'help' ? 'boolean' : 'string' }] as const)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<Flag, string>();
  const files: string[] = [];
  let last: Flag | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (last !== 'replay') throw new BadOption(`${JSON.stringify(token.value)} belongs to no flag; see --help.`);
      files.push(token.value);
    } else if (token.kind === 'option') {
      const flag = FLAGS.find((known) => known === token.name);
      if (flag === undefined) {
        throw new BadOption(`There is no flag ${token.rawName}${hint(token.name, FLAGS, '--')}; see --help.`);
      }
      last = flag;
      const missing =
        token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--'));
      if (flag !== 'help' && missing) throw new BadOption(`--${flag} needs a value; see --help.`);
      if (flag === 'replay') files.push(token.value ?? '');
      else flags.set(flag, token.value ?? '');
    }
  }
  return { flags, files };
};

const hint = (word: string, known: readonly string[], prefix = ''): string => {
  const near = nearest(word, known);
  return near === undefined ? '' : `, perhaps ${prefix}${near}`;
};
