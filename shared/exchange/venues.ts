import type { Platform } from '#shared/platform/ports';
import { type Item, keyOf } from '#shared/platform/table';
import { VenueBudget } from './budget/venue-budget.ts';
import type { Venue } from './venue.ts';

/** When the recording was started, so that a restart goes on where it was. */
export interface ReplayRun extends Item {
  readonly kind: 'replay-run';
  readonly recording: string;
  readonly startedAt: number;
}

type Ports = Pick<Platform, 'config' | 'network' | 'clock' | 'table' | 'logger' | 'metrics' | 'random'>;

/** Makes venues by their names, each with the code of its own kind alone. */
export class Venues {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** A venue: `sim`, `replay` or any exchange of ccxt. It is meant to be kept: its client remembers markets and limits. */
  async open(id: string): Promise<Venue> {
    const { config, clock, network, logger } = this.#ports;
    if (id === 'sim')
      return (await import('./venues/sim/sim.ts')).createSim({ seed: config.exchange.simulationSeed, clock });
    if (id === 'replay') return await this.#openReplay();
    const { createCcxtVenue } = await import('./venues/ccxt/public-venue.ts');
    const originOverride = config.exchange.venueUrls[id];
    return await createCcxtVenue({
      id,
      network,
      clock,
      logger,
      budget: new VenueBudget(this.#ports, id, 'prices'),
      ...(originOverride === undefined ? {} : { originOverride }),
    });
  }

  /** Goes on with the recording that was being played, unless it ended or is another one: then it starts from its beginning. */
  async #openReplay(): Promise<Venue> {
    const { config, clock, table } = this.#ports;
    const { replayFiles: files, replaySpeed: speed, replaySymbol: symbol, replayTimeframe } = config.exchange;
    const { loadCandles } = await import('./venues/replay/candle-file.ts');
    const { createReplay } = await import('./venues/replay/replay.ts');
    const { Timeframe } = await import('./venues/replay/timeframe.ts');
    const timeframe = replayTimeframe === undefined ? undefined : Timeframe.parse(replayTimeframe);
    const candles = await Promise.all(files.map((file) => loadCandles(file, { symbol, timeframe })));
    const key = { pk: keyOf('VENUE', 'replay'), sk: 'RUN' };
    const given = [symbol, timeframe?.name].filter((text) => text !== undefined);
    const recording = JSON.stringify([files, speed, ...given]);
    const run = await table.get<ReplayRun>(key, { consistent: true });
    if (run?.recording === recording) {
      const replay = createReplay({ candles, speed, clock, startedAt: run.startedAt });
      if (clock.now() < replay.finishedAt()) return replay;
    }
    const startedAt = clock.now();
    const next: ReplayRun = { ...key, kind: 'replay-run', recording, startedAt };
    await table.put(next);
    return createReplay({ candles, speed, clock, startedAt });
  }
}
