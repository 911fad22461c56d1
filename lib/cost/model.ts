import { PRICES } from './prices.ts';
import { type Usage, usageOf } from './usage.ts';

/** What each service costs, in US dollars. */
const services: Readonly<Record<string, (usage: Usage) => number>> = {
  Lambda: ({ gbSeconds, invocations }) => gbSeconds * PRICES.lambdaGbSecond + invocations * PRICES.lambdaRequest,
  DynamoDB: ({ tableWrites, tableReads }) => tableWrites * PRICES.tableWrite + tableReads * PRICES.tableRead,
  'API Gateway': ({ httpRequests, socketMessages, socketMinutes }) =>
    httpRequests * PRICES.httpRequest + socketMessages * PRICES.socketMessage + socketMinutes * PRICES.socketMinute,
  'CloudWatch logs': ({ logGigabytes }) => logGigabytes * PRICES.logGigabyte,
  'CloudWatch alarms, metrics': ({ alarms, metrics }) => alarms * PRICES.alarm + metrics * PRICES.metric,
  'X-Ray': ({ traces }) => traces * PRICES.trace,
  'SQS, Scheduler, SES': ({ queueRequests, scheduledRuns, mails }) =>
    queueRequests * PRICES.queueRequest + scheduledRuns * PRICES.scheduledRun + mails * PRICES.mail,
  'Secrets Manager': ({ secrets }) => secrets * PRICES.secret,
};

/** The numbers of users that the table is about; none is the system at rest. */
const userCounts = [0, 1, 100, 10_000] as const;

const amount = (dollars: number): string =>
  dollars.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const titleOf = (users: number): string =>
  users === 0 ? 'at rest' : `${users.toLocaleString('en-US')} user${users === 1 ? '' : 's'}`;

/** What a month costs in US dollars, as a Markdown table: a row for each service, a column for each number of users. */
export const costTable = (): string => {
  const usages = userCounts.map(usageOf);
  const rows = Object.entries(services).map(([name, cost]) => ({ name, dollars: usages.map(cost) }));
  const totals = usages.map((_, column) => rows.reduce((sum, { dollars }) => sum + (dollars[column] ?? 0), 0));
  const cells = [
    ['US dollars a month', ...userCounts.map(titleOf)],
    ...rows.map(({ name, dollars }) => [name, ...dollars.map(amount)]),
    ['**all**', ...totals.map((total) => `**${amount(total)}**`)],
  ];
  const widths = userCounts.map((_, column) => Math.max(...cells.map((row) => row[column + 1]?.length ?? 0)));
  const nameWidth = Math.max(...cells.map(([name = '']) => name.length));
  const line = ([name = '', ...figures]: readonly string[]): string =>
    `| ${name.padEnd(nameWidth)} | ${figures.map((figure, column) => figure.padStart(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${'-'.repeat(nameWidth + 2)}|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  const [header = [], ...body] = cells;
  return [line(header), rule, ...body.map(line)].join('\n');
};

/** From where and when the prices are. */
export const priceNote = `List prices of ${PRICES.region}, ${PRICES.asOf}, without free tiers, data transfer and taxes.`;
