/** The server of one machine within this process, on a clock that can leap. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { ensureDemoLogin } from '#local/demo-login';
import type { BehindProxy } from '#local/front-door';
import { startServer } from '#local/server';
import { localLogger } from '#local/telemetry';
import { type SomeSettings, withSettings } from '#shared/platform/config/config';
import { LeapingClock } from './leaping-clock.ts';
import { temporaryFolder } from './server-process.ts';
import { testConfig } from './test-platform.ts';

export interface ServerHereOptions {
  /** A folder of a server that was stopped; else a new one, which ends with the server. */
  readonly dataFolder?: string;
  readonly logger?: Logger;
  readonly smtpUrl?: string;
  readonly host?: string;
  readonly proxy?: BehindProxy;
  /** The clock of a server that was stopped, so that time does not go back. */
  readonly clock?: LeapingClock;
}

const settingsHere: SomeSettings = {
  market: { syncSeconds: 0.05 },
  // Receivers of webhooks run on this machine.
  notifications: { privateWebhooks: true },
};

export const startServerHere = async (settings: SomeSettings = {}, options: ServerHereOptions = {}) => {
  const folder = options.dataFolder === undefined ? await temporaryFolder() : undefined;
  const dataFolder = options.dataFolder ?? folder?.path ?? '';
  const clock = options.clock ?? new LeapingClock();
  const server = await startServer({
    config: withSettings(withSettings(testConfig, settingsHere), settings),
    dataFolder,
    host: options.host ?? '127.0.0.1',
    port: 0,
    smtpUrl: options.smtpUrl,
    proxy: options.proxy,
    clock,
    logger: options.logger ?? localLogger('SILENT'),
    prepare: async (platform) => void (await ensureDemoLogin(platform, dataFolder)),
  });
  return {
    url: server.url,
    webSocketUrl: server.webSocketUrl,
    outboxUrl: server.outboxUrl,
    platform: server.platform,
    dataFolder,
    clock,
    end: async () => {
      await server.close();
      await folder?.remove();
    },
  };
};

export type ServerHere = Awaited<ReturnType<typeof startServerHere>>;
