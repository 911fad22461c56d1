#!/usr/bin/env node
import { resolve } from 'node:path';
import { type DemoLogin, ensureDemoLogin } from '#local/demo-login';
import { isLoopback } from '#local/host-check';
import { type Options, readOptions, usage } from '#local/options';
import { choosePriceSource, type PriceSource } from '#local/price-source';
import type { Server } from '#local/server';
import { startupFailure } from '#local/startup-failure';
import { localLogger } from '#local/telemetry';
import { exchangeIds } from '#shared/exchange/venues/ccxt/exchanges';
import { withSettings } from '#shared/platform/config/config';
import { oneMachineConfig } from '#shared/platform/config/one-machine';
import type { Config } from '#shared/platform/ports';
import manifest from '../package.json' with { type: 'json' };

const configOf = ({ settings }: Options, { venues, symbols, files, fallback }: PriceSource): Config =>
  oneMachineConfig(
    manifest.version,
    withSettings(settings, {
      market: { venues, symbols, ...(fallback === undefined ? {} : { fallback }) },
      exchange: { replayFiles: files },
    }),
  );

/** The modules of the server and its functions, loaded while live venues are probed. */
const loadServer = async () => {
  const [{ startServer }, { functions }] = await Promise.all([import('#local/server'), import('#functions/manifest')]);
  await Promise.all(functions.map(({ load }) => load()));
  return startServer;
};

const start = async (options: Options): Promise<void> => {
  const choosing = choosePriceSource(options);
  // A failure that needs no network, such as a recording that can't be played, is reported before anything is loaded.
  if (options.venues !== 'auto') await choosing;
  const [source, startServer] = await Promise.all([choosing, loadServer()]);
  const dataFolder = resolve(options.dataFolder);
  const logger = localLogger(options.logLevel);
  let login: DemoLogin | undefined;
  const server = await startServer({
    ...options,
    config: configOf(options, source),
    dataFolder,
    logger,
    prepare: async (platform) => {
      login = await ensureDemoLogin(platform, dataFolder);
    },
  });
  stopOnSignals(server);
  console.log(
    [
      `AlphaPulse ${manifest.version} runs at ${server.url}`,
      `  WebSocket  ${server.webSocketUrl}`,
      `  Login      ${loginLine(login)}`,
      `  Prices     ${source.description}`,
      `  Outbox     ${server.url}/outbox`,
      `  Data       ${dataFolder}`,
      ...(isLoopback(options.host)
        ? []
        : ['  Note       Other machines can reach this server; only this one can read the outbox.']),
    ].join('\n'),
  );
  if (source.fallback !== undefined) logger.warn('No live venue answered; prices are simulated', source.fallback);
};

const loginLine = (login: DemoLogin | undefined): string => {
  if (login?.file === undefined) return 'your own; the demo user was not made here';
  return login.password === undefined
    ? `${login.email}, the password is in ${login.file}`
    : `${login.email}, password ${login.password} (kept in ${login.file})`;
};

const stopOnSignals = (server: Server): void => {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
};

let options: Options | undefined;

const fail = (error: unknown): never => {
  const failure = startupFailure(error, options);
  if (failure === undefined) localLogger('ERROR').critical('AlphaPulse ended', { error: error as Error });
  else console.error(failure.message);
  process.exit(failure?.exitCode ?? 1);
};

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

try {
  const read = readOptions(process.argv.slice(2), process.env, exchangeIds());
  if (read === 'help') {
    console.log(usage);
  } else {
    options = read;
    await start(read);
  }
} catch (error) {
  fail(error);
}
