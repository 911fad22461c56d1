import { readSettings, type Settings } from '../settings.ts';
import { CommandError, type GivenSettings } from './arguments.ts';
import type { AwsAccount } from './aws-account.ts';
import type { Target } from './cdk.ts';

/** Exchanges that answer no request from the United States: Binance with 451, Bybit with 403 (its API documentation). */
const refusingUnitedStates: ReadonlySet<string> = new Set(['binance', 'binancecoinm', 'binanceusdm', 'bybit']);
const recommendedRegions = 'eu-central-1 or ap-northeast-1';

/** Executions at once below which requests are likely to wait for syncs and deliveries. */
const comfortableExecutions = 100;
/** A stream's two consumers, the dispatcher, and a request with its authorizer. */
const executionsBesidesVenues = 5;

/** @throws {CommandError} an exchange of the settings does not answer requests from the region */
export const checkRegion = (stage: Settings['stage'], { region }: Target, given: GivenSettings): void => {
  if (!region.startsWith('us-')) return;
  const { venues, venueUrls } = readSettings((name) => (name === 'stage' ? stage : given[name]));
  const refusing = venues.filter((venue) => refusingUnitedStates.has(venue) && venueUrls[venue] === undefined);
  const [first] = refusing;
  if (first === undefined) return;
  throw new CommandError(
    `${refusing.join(' and ')} would not answer: requests from the United States, where ${region} is, are refused. ` +
      `Deploy to ${recommendedRegions} with --region, watch other exchanges with -c venues=…, or send the requests ` +
      `through a proxy elsewhere: -c venueUrls='{"${first}":"https://…"}'.`,
  );
};

/**
 * What the account's limit of concurrent executions means for this deployment; undefined where it is no concern.
 * @throws {CommandError} the syncs of the exchanges alone would use it up
 */
export const executionsNotice = async (
  account: AwsAccount,
  stage: Settings['stage'],
  given: GivenSettings,
): Promise<string | undefined> => {
  const limit = await account.concurrentExecutions().catch(() => undefined);
  if (limit === undefined)
    return 'How many functions this account may run at once could not be read; new accounts may run 10.';
  if (limit >= comfortableExecutions) return undefined;
  const { venues } = readSettings((name) => (name === 'stage' ? stage : given[name]));
  const more = 'More are free: Service Quotas, AWS Lambda, "Concurrent executions".';
  const venuesMax = Math.max(1, limit - executionsBesidesVenues);
  if (venues.length > venuesMax) {
    throw new CommandError(
      `This account may run ${limit} functions at once, and each exchange takes one of them all the time: watch at most ${venuesMax} (-c venues=…). ${more}`,
    );
  }
  return `This account may run ${limit} functions at once. ${venues.length} of them sync exchanges all the time; when syncs of accounts and deliveries take the others, requests get a 503. ${more}`;
};
