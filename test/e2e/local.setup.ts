/** Starts the system on this machine, as `npm start` does, in front of a venue double. */
import type { TestProject } from 'vitest/node';
import { outboxUrlOf, startServerProcess, temporaryFolder } from '../support/server-process.ts';
import { startVenue } from './venue.ts';

const patienceMs = 10_000;

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const [venue, folder] = await Promise.all([startVenue(), temporaryFolder()]);
  const server = await startServerProcess(
    folder.path,
    ['--venue', 'binance', '--symbols', 'BTC/USDT,ETH/USDT,SOL/USDT'],
    {
      ALPHAPULSE_VENUE_URLS: JSON.stringify({ binance: venue.url }),
      ALPHAPULSE_SYNC_SECONDS: '0.1',
      ALPHAPULSE_CORS_ORIGINS: 'http://localhost:5173',
    },
  );
  provide('target', {
    runtime: 'local',
    emulator: null,
    url: server.url,
    socketUrl: server.webSocketUrl,
    mailsUrl: await outboxUrlOf(folder.path),
    venueUrl: venue.pricesUrl,
    patienceMs,
  });
  return async () => {
    await server.end();
    await venue.close();
    await folder.remove();
  };
};
