#!/usr/bin/env node
import { resolve } from 'node:path';
import { type DemoLogin, ensureDemoLogin } from '#local/demo-login';
import { type Options, readOptions, usage } from '#local/options';
import { choosePriceSource, type PriceSource } from '#local/price-source';
import type { Server } from '#local/server';
import { startLines } from '#local/start-lines';
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
  const config = configOf(options, source);
  const logger = localLogger(options.logLevel);
  let login: DemoLogin | undefined;
  const server = await startServer({
    ...options,
    config,
    dataFolder,
    logger,
    prepare: async (platform) => {
      login = await ensureDemoLogin(platform, dataFolder);
    },
  });
  stopOnSignals(server);
  console.log(
    startLines({
      version: manifest.version,
      options,
      server,
      source,
      login,
      corsOrigins: config.http.corsOrigins,
      dataFolder,
      isTerminal: process.stdout.isTTY === true,
    }).join('\n'),
  );
  if (source.fallback !== undefined) logger.warn('No live venue answered; prices are simulated', source.fallback);
};

/** Ctrl-C reaches the server twice where npm passes it on as well: what comes so soon is the same request to stop. */
const sameSignalMs = 1_000;

const stopOnSignals = (server: Server): void => {
  let stoppingSince: number | undefined;
  const stop = (): void => {
    const now = performance.now();
    if (stoppingSince !== undefined) {
      if (now - stoppingSince > sameSignalMs) process.exit(130);
      return;
    }
    stoppingSince = now;
    server.close().then(
      () => {
        console.log('AlphaPulse stopped.');
        process.exit(0);
      },
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
};

// Files are for their owner alone, as SQLite makes them as well.
process.umask(0o077);

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
