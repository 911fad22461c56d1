/** The server of one machine within this process, on a clock that can leap. */
import { ensureDemoLogin } from '#local/demo-login';
import { startServer } from '#local/server';
import { localLogger } from '#local/telemetry';
import type { Config } from '#shared/platform/ports';
import { LeapingClock } from './leaping-clock.ts';
import { temporaryFolder } from './server-process.ts';
import { testConfig } from './test-platform.ts';

export const startServerHere = async (config: Partial<Config> = {}) => {
  const folder = await temporaryFolder();
  const clock = new LeapingClock();
  const server = await startServer({
    config: { ...testConfig, marketSyncSeconds: 0.05, ...config },
    dataFolder: folder.path,
    host: '127.0.0.1',
    port: 0,
    clock,
    logger: localLogger('SILENT'),
    prepare: async (platform) => void (await ensureDemoLogin(platform, folder.path)),
  });
  return {
    url: server.url,
    webSocketUrl: server.webSocketUrl,
    dataFolder: folder.path,
    clock,
    end: async () => {
      await server.close();
      await folder.remove();
    },
  };
};
