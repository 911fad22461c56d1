/** Deploys the system to an emulator of AWS, in front of a venue double. */
import type { TestProject } from 'vitest/node';
import { until } from '../support/until.ts';
import { deploy } from './deployment.ts';
import { closeGaps, reset, syncNow } from './emulator-gaps.ts';
import { awsEnvironment, openAws } from './ministack.ts';
import { startVenue } from './venue.ts';

/** A sync runs for 55 of 60 seconds and asks every five; the emulator looks at streams and queues every second. */
const patienceMs = 25_000;
const coldStartMs = 30_000;

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const venue = await startVenue();
    closing.push(venue.close);
    const aws = await openAws('ministack-e2e');
    closing.push(aws.close);
    // What is left there of an earlier run would be updated, which the emulator does badly.
    if (!aws.isOurs) await reset(aws.url);
    const deployment = await deploy(awsEnvironment(aws.url), {
      venues: 'binance',
      venueUrls: JSON.stringify({ binance: venue.url }),
      registration: 'open',
      symbols: 'BTC/USDT,ETH/USDT,SOL/USDT',
      // The suite makes a user for nearly every test, all from one address.
      requestLimitFactor: '100',
    });
    closing.push(deployment.removeFiles);
    const again = await deployment.again();
    await closeGaps(aws.url, deployment);
    await syncNow(aws.url, 'binance');
    const url = `${aws.url}/_aws/execute-api/${deployment.httpApiId}/$default`;
    await until('the API to answer', async () => (await fetch(`${url}/health`)).ok, coldStartMs);
    provide('target', {
      runtime: 'aws',
      emulator: 'ministack',
      url,
      socketUrl: `${aws.url.replace('http', 'ws')}/_aws/execute-api/${deployment.socketApiId}/${deployment.socketStage}`,
      mailsUrl: `${aws.url}/_ministack/ses/messages`,
      venueUrl: venue.pricesUrl,
      patienceMs,
    });
    provide('secondDeployment', { deployed: deployment.assembly, ...again });
    if (!aws.isOurs) closing.push(() => reset(aws.url));
  } catch (error) {
    await close();
    throw error;
  }
  return close;
};
