import { parseArgs } from 'node:util';
import * as z from 'zod';
import { VenueId } from '#shared/model/symbols';
import { accounts } from '#shared/platform/config/accounts';
import { type SomeSettings, withSettings } from '#shared/platform/config/config';
import { market } from '#shared/platform/config/market';
import { fromText, listText, numberText } from '#shared/platform/config/setting';
import { ProxyNetworks } from './forwarded.ts';
import type { BehindProxy } from './front-door.ts';
import { BadOption, type GivenText, givenText, readSettings, readText } from './given-settings.ts';
import { isLoopback } from './host-check.ts';
import { nearest } from './nearest.ts';
import { LOG_LEVELS, type LogLevel } from './telemetry.ts';

/** How a person wants the server to run. */
export interface Options {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataFolder: string;
  /** Venues to watch, or `auto`: a live one where one answers. */
  readonly venues: readonly string[] | 'auto';
  readonly smtpUrl: string | undefined;
  readonly proxy: BehindProxy | undefined;
  /** The settings that were given, and those that follow from the options. */
  readonly settings: SomeSettings;
  readonly logLevel: LogLevel;
}

export const usage = `Usage: npm start -- [options]

  --port 3000            port to listen on; 0 takes any free one
  --host 127.0.0.1       address to listen on
  --data .alphapulse     folder of the store and its keys
  --venue auto           auto, sim, replay or ccxt ids such as binance,kraken
  --symbols BTC/USDT,…   symbols to watch
  --replay FILE.csv …    recorded candles to play as the venue replay, such as BTCUSDT_1m.csv
  --symbol BTC/USDT      what the one file is of, where its name does not say
  --timeframe 1m         how long the candles of the one file last, where it does not say
  --speed 60             how much faster than time the candles are played
  --behind-proxy CIDR    networks of the reverse proxies in front, such as 127.0.0.1; needs --public-url
  --public-url https://… where clients reach the proxy; needs --behind-proxy
  --private-webhooks     allows webhooks to private addresses, on a server that only this machine reaches
  --help                 this text

Environment (a flag wins): ALPHAPULSE_PORT, ALPHAPULSE_HOST, ALPHAPULSE_DATA, ALPHAPULSE_VENUE, ALPHAPULSE_SYMBOLS,
  ALPHAPULSE_BEHIND_PROXY, ALPHAPULSE_PUBLIC_URL, ALPHAPULSE_PRIVATE_WEBHOOKS=true,
  ALPHAPULSE_VENUE_URLS    {"binance":"http://127.0.0.1:9001"}: replaces the origin of a venue's URLs
  ALPHAPULSE_SYNC_SECONDS  periods of the market and account sync, 5,60
  ALPHAPULSE_SMTP_URL      smtp://user:password@host:587: sends mails, instead of the outbox
  ALPHAPULSE_MAIL_FROM     sender of mails
  ALPHAPULSE_APP_URL       where the web app is, for links in mails: http://localhost:5173
  ALPHAPULSE_CORS_ORIGINS  origins whose pages may call the API, by default http://localhost:5173
  ALPHAPULSE_REQUEST_LIMIT_FACTOR  multiplies the request limits, for load tests: 1
  ALPHAPULSE_REGISTRATION  open or first-user: who may register; open only on a loopback address without a proxy by default
  ALPHAPULSE_LOG_LEVEL     ${LOG_LEVELS.join(', ')}
`;

// biome-ignore format: one line a group
const FLAGS = [
  'port', 'host', 'data', 'venue', 'symbols', 'replay', 'symbol', 'timeframe', 'speed',
  'behind-proxy', 'public-url', 'private-webhooks', 'help',
] as const;
type Flag = (typeof FLAGS)[number];
/** Flags that stand for themselves. */
const SWITCHES: readonly Flag[] = ['private-webhooks', 'help'];

const venuesMax = 10;
const filesMax = 50;

const Port = numberText.pipe(z.int().min(0).max(65_535));
const Host = z.string().regex(/^[A-Za-z0-9.:_-]+$/);
const SmtpUrl = z.string().refine((text) => /^smtps?:$/.test(URL.parse(text)?.protocol ?? ''));
const OnOff = z.enum(['true', 'false']).transform((text) => text === 'true');
const CidrList = z.string().transform((text, context) => {
  const networks = ProxyNetworks.parse(text);
  if (networks !== undefined) return networks;
  context.addIssue('must be networks');
  return z.NEVER;
});
const PublicUrl = z
  .string()
  .refine((text) => text.startsWith('https://'))
  .transform((text) => text.replace(/\/$/, ''))
  .refine((text) => URL.parse(text)?.origin === text);
const LogLevelName = z.string().toUpperCase().pipe(z.enum(LOG_LEVELS));
const Venues = listText.pipe(z.array(VenueId).min(1).max(venuesMax));
const SyncSeconds = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(
    z.union([
      z.tuple([fromText(market.syncSeconds)]),
      z.tuple([fromText(market.syncSeconds), fromText(accounts.syncSeconds)]),
    ]),
  );

/**
 * Reads the start command and the environment; a flag wins over its variable.
 * @param exchanges ids of the exchanges that can be watched
 * @returns `help` for --help
 * @throws {BadOption}
 */
export const readOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  exchanges: readonly string[],
): Options | 'help' => {
  const { flags, files } = readFlags(args);
  if (flags.has('help')) return 'help';
  const of = (name: string, flag?: Flag): GivenText => givenText(`ALPHAPULSE_${name}`, environment, flag, flags);
  const settings = readSettings(environment, flags);
  if (flags.has('speed') && files.length === 0) throw new BadOption('--speed needs --replay with a file to play.');
  const ofOneFile = (['symbol', 'timeframe'] as const).find((flag) => flags.has(flag));
  if (ofOneFile !== undefined && files.length !== 1) {
    throw new BadOption(
      `--${ofOneFile} needs --replay with one file, and there ${files.length === 0 ? 'is none' : `are ${files.length}`}.`,
    );
  }
  if (files.length > filesMax) throw new BadOption(`--replay plays at most ${filesMax} files.`);
  const [marketSeconds, accountSeconds] =
    readText(SyncSeconds, of('SYNC_SECONDS'), 'one or two periods in seconds such as 5 or 5,60 (0.05..60, 1..3600)') ??
    [];
  const host = readText(Host, of('HOST', 'host'), 'an address such as 127.0.0.1') ?? '127.0.0.1';
  const proxy = readProxy(of('BEHIND_PROXY', 'behind-proxy'), of('PUBLIC_URL', 'public-url'));
  const isPrivate = isLoopback(host) && proxy === undefined;
  const webhooks = of('PRIVATE_WEBHOOKS', 'private-webhooks');
  const privateWebhooks = readText(OnOff, webhooks, 'true or false') ?? false;
  if (privateWebhooks && !isPrivate) {
    throw new BadOption(
      `${webhooks[0]} is only for a server that no other machine can reach, on a loopback address and without a proxy.`,
    );
  }
  const smtpUrl = readText(SmtpUrl, of('SMTP_URL'), 'a URL that begins with smtp:// or smtps://', 'secret');
  return {
    host,
    port: readText(Port, of('PORT', 'port'), 'a port, 0 to 65535') ?? 3000,
    dataFolder: of('DATA', 'data')[1] ?? '.alphapulse',
    venues: readVenues(of('VENUE', 'venue'), files, exchanges),
    smtpUrl,
    proxy,
    logLevel: readText(LogLevelName, of('LOG_LEVEL'), LOG_LEVELS.join(', ')) ?? 'WARN',
    settings: withSettings(settings, {
      market: marketSeconds === undefined ? {} : { syncSeconds: marketSeconds },
      accounts: accountSeconds === undefined ? {} : { syncSeconds: accountSeconds },
      exchange: { replayFiles: files },
      users: {
        // Nobody but the users of this machine reaches a loopback address.
        registration: settings.users?.registration ?? (isPrivate ? 'open' : 'first-user'),
        // Without a mail server, mails are read in the outbox of this machine.
        emailVerification: smtpUrl === undefined ? 'assumed' : 'required',
      },
      notifications: { privateWebhooks },
      // Clients reach the proxy by https alone.
      http: proxy === undefined ? {} : { strictTransport: true },
    }),
  };
};

const readProxy = (given: GivenText, givenUrl: GivenText): BehindProxy | undefined => {
  const networks = readText(CidrList, given, 'the networks of your proxies such as 127.0.0.1 or 10.0.0.0/8');
  const publicUrl = readText(PublicUrl, givenUrl, 'an https URL without a path such as https://alphapulse.example.com');
  if (networks === undefined && publicUrl === undefined) return undefined;
  if (networks === undefined)
    throw new BadOption(`${givenUrl[0]} needs --behind-proxy with the networks of your proxies.`);
  if (publicUrl === undefined) throw new BadOption(`${given[0]} needs --public-url with the https URL of your proxy.`);
  return { networks, publicUrl };
};

const readVenues = (
  [source, text]: GivenText,
  files: readonly string[],
  exchanges: readonly string[],
): Options['venues'] => {
  if (text === undefined) return files.length > 0 ? ['replay'] : 'auto';
  if (text === 'auto' && files.length === 0) return 'auto';
  const venues = readText(Venues, [source, text], 'auto, sim, replay or ccxt ids such as binance,kraken') ?? [];
  const known = ['sim', 'replay', ...exchanges];
  const unknown = venues.find((venue) => !known.includes(venue));
  if (unknown === 'auto') throw new BadOption(`${source}: auto can't be combined with other venues or files.`);
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
    options: Object.fromEntries(
      FLAGS.map((flag) => [flag, { type: SWITCHES.includes(flag) ? 'boolean' : 'string' }] as const),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<Flag, string>();
  const files: string[] = [];
  let last: Flag | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (last !== 'replay') throw new BadOption(`Unexpected argument ${JSON.stringify(token.value)}; see --help.`);
      files.push(token.value);
    } else if (token.kind === 'option') {
      const flag = FLAGS.find((known) => known === token.name);
      if (flag === undefined) {
        throw new BadOption(`There is no flag ${token.rawName}${hint(token.name, FLAGS, '--')}; see --help.`);
      }
      last = flag;
      const missing =
        token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--'));
      const isSwitch = SWITCHES.includes(flag);
      if (!isSwitch && missing) throw new BadOption(`--${flag} needs a value; see --help.`);
      if (flag === 'replay') files.push(token.value ?? '');
      else flags.set(flag, token.value ?? (isSwitch ? 'true' : ''));
    }
  }
  return { flags, files };
};

const hint = (word: string, known: readonly string[], prefix = ''): string => {
  const near = nearest(word, known);
  return near === undefined ? '' : `, perhaps ${prefix}${near}`;
};
