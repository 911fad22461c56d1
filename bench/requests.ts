import { connect } from 'node:net';
import { start } from './process.ts';
import { startSystem } from './system.ts';
import { figure, printTable } from './table.ts';

const connections = 32;

/** Requests per second over keep-alive connections, each with one request under way. */
const throughput = async (
  url: URL,
  headers: string,
  seconds: number,
): Promise<{ perSecond: number; bytes: number }> => {
  const request = `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${headers}\r\n`;
  let answers = 0;
  let bytes = 0;
  let isOver = false;
  const run = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname, () => socket.write(request));
      let pending = '';
      socket.on('data', (chunk) => {
        pending += chunk.toString('latin1');
        const end = pending.indexOf('\r\n\r\n');
        const length = /content-length: (\d+)/i.exec(pending)?.[1];
        const isWhole =
          length === undefined ? pending.endsWith('0\r\n\r\n') : pending.length >= end + 4 + Number(length);
        if (end === -1 || !isWhole) return;
        if (!pending.startsWith('HTTP/1.1 200')) reject(new Error(pending.slice(0, 500)));
        answers++;
        bytes = pending.length;
        pending = '';
        if (isOver) socket.end();
        else socket.write(request);
      });
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
  const startedAt = performance.now();
  const timer = setTimeout(() => {
    isOver = true;
  }, seconds * 1000);
  await Promise.all(Array.from({ length: connections }, run));
  clearTimeout(timer);
  return { perSecond: answers / ((performance.now() - startedAt) / 1000), bytes };
};

/** Requests per second of the prices, beside a bare node:http server that answers as many bytes. */
export const benchRequests = async (quick: boolean): Promise<void> => {
  const seconds = quick ? 2 : 5;
  const system = await startSystem(['--venue', 'sim'], { ALPHAPULSE_REQUEST_LIMIT_FACTOR: '1000000' });
  try {
    const { base } = system;
    const authorization = `authorization: Bearer ${await system.logIn()}\r\n`;
    const all = new URL('/api/market/prices', base);
    const one = new URL('/api/market/prices?symbols=BTC/USDT', base);
    await throughput(all, authorization, 1);
    const prices = await throughput(all, authorization, seconds);
    const price = await throughput(one, authorization, seconds);
    const health = await throughput(new URL('/health', base), '', seconds);
    await system.stop();
    const hello = await start(['bench/peers/hello.ts', String(prices.bytes)], /(\d+)/);
    const bareUrl = new URL(`http://127.0.0.1:${hello.ready[1]}/`);
    await throughput(bareUrl, '', 1);
    const bare = await throughput(bareUrl, '', seconds);
    await hello.stop();
    const row = (name: string, { perSecond, bytes }: typeof bare) => [
      name,
      figure(perSecond),
      String(bytes),
      figure(perSecond / bare.perSecond),
    ];
    printTable(
      `Requests per second, ${connections} connections, one process`,
      ['', 'requests/s', 'bytes', 'of bare'],
      [
        row('bare node:http', bare),
        row('GET /health', health),
        row('GET /api/market/prices, one symbol', price),
        row('GET /api/market/prices, all symbols', prices),
      ],
    );
  } finally {
    await system.remove();
  }
};
