import { WebSocket } from 'ws';
import { startBinance } from '../test/support/venues/binance.ts';
import { start } from './process.ts';
import { startSystem } from './system.ts';
import { figure, printTable, quantile } from './table.ts';

const syncSeconds = 0.1;

/** A socket whose messages can be waited for. */
const listen = async (url: string, protocols: string[] = []) => {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false });
  const waiting: { wanted: (message: string) => boolean; resolve: (at: number) => void }[] = [];
  socket.on('message', (raw) => {
    const at = performance.now();
    const message = String(raw);
    for (const waiter of waiting.splice(0)) {
      if (waiter.wanted(message)) waiter.resolve(at);
      else waiting.push(waiter);
    }
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  /** When the next message that is wanted came. */
  const next = (wanted: (message: string) => boolean) =>
    new Promise<number>((resolve) => waiting.push({ wanted, resolve }));
  return { socket, next };
};

const echoTimes = async (rounds: number): Promise<number[]> => {
  const peer = await start(['bench/peers/echo.ts'], /(\d+)/);
  const { socket, next } = await listen(`ws://127.0.0.1:${peer.ready[1]}`);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const sentAt = performance.now();
    const echoed = next(() => true);
    socket.send(`round ${round} ${'x'.repeat(250)}`);
    times.push((await echoed) - sentAt);
  }
  socket.terminate();
  await peer.stop();
  return times;
};

/** How long a change of price at the venue takes to the socket, and to the socket as an alert. */
export const benchLatency = async (quick: boolean): Promise<void> => {
  const rounds = quick ? 30 : 150;
  const echo = await echoTimes(rounds * 10);
  const venue = await startBinance({});
  const system = await startSystem(['--venue', 'binance', '--symbols', 'BTC/USDT'], {
    ALPHAPULSE_VENUE_URLS: JSON.stringify({ binance: venue.url }),
    ALPHAPULSE_SYNC_SECONDS: String(syncSeconds),
  });
  try {
    const { base, post } = system;
    const accessToken = await system.logIn();
    const { socket, next } = await listen(`${base.replace('http', 'ws')}/ws`, ['bearer', accessToken]);
    const subscribed = next((message) => message.includes('"snapshot"'));
    socket.send(JSON.stringify({ action: 'subscribe', channels: ['prices:binance:BTC/USDT', 'alerts'] }));
    await subscribed;
    const fromChange: number[] = [];
    const fromAnswer: number[] = [];
    const alerted: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const price = `${60_000 + round * 10}.5`;
      const condition = {
        type: 'price',
        venue: 'binance',
        symbol: 'BTC/USDT',
        operator: 'crosses_above',
        value: `${60_000 + round * 10}`,
      };
      if (round === 0) venue.setPrice('BTC/USDT', '59000');
      if (round === 0) await next((message) => message.includes('"last":"59000"'));
      await post('/api/alerts/create', { condition, channels: ['websocket'] }, accessToken);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * syncSeconds * 1000));
      const price$ = next((message) => message.includes(`"last":"${price}"`));
      const alert$ = next(
        (message) => message.includes('"channel":"alerts"') && message.includes(`"value":"${price}"`),
      );
      const changedAt = performance.now();
      const changedAtEpoch = performance.timeOrigin + changedAt;
      venue.setPrice('BTC/USDT', price);
      const seenAt = await price$;
      const alertedAt = await alert$;
      const request = venue.requests.find(
        ({ path, at }) => path.endsWith('/ticker/24hr') && at >= Math.floor(changedAtEpoch),
      );
      fromChange.push(seenAt - changedAt);
      if (request !== undefined) fromAnswer.push(performance.timeOrigin + seenAt - request.at);
      alerted.push(alertedAt - changedAt);
    }
    socket.terminate();
    const echoP50 = quantile(echo, 0.5);
    const row = (name: string, times: readonly number[]) => [
      name,
      figure(quantile(times, 0.5)),
      figure(quantile(times, 0.99)),
      figure(quantile(times, 0.5) / echoP50),
    ];
    printTable(
      `From a change at the venue to a socket, ms; the venue is polled every ${syncSeconds * 1000} ms`,
      ['', 'p50', 'p99', 'p50 to echo'],
      [
        row('bare ws echo, there and back', echo),
        row("from the venue's answer to the price frame", fromAnswer),
        row('from the change to the price frame', fromChange),
        row('from the change to the alert frame', alerted),
      ],
    );
  } finally {
    await system.remove();
    await venue.close();
  }
};
