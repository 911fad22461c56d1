/**
 * List prices in US dollars, without free tiers, taxes and discounts. Each is per one of what its name says.
 * As quoted from the pricing pages named here by guides of 2025 and 2026, collected in November 2026 for us-east-1: look
 * them up again before a decision hangs on one.
 */
export const PRICES = {
  region: 'us-east-1',
  asOf: 'November 2026',
  /** aws.amazon.com/lambda/pricing, arm64; initialising is billed as well. */
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2e-6,
  /** aws.amazon.com/dynamodb/pricing/on-demand: a write of 1 KB, a consistent read of 4 KB. */
  tableWrite: 0.625e-6,
  tableRead: 0.125e-6,
  /** aws.amazon.com/api-gateway/pricing */
  httpRequest: 1e-6,
  socketMessage: 1e-6,
  socketMinute: 0.25e-6,
  /** aws.amazon.com/sqs/pricing */
  queueRequest: 0.4e-6,
  /** aws.amazon.com/eventbridge/pricing: the Scheduler */
  scheduledRun: 1e-6,
  /** aws.amazon.com/ses/pricing */
  mail: 0.1e-3,
  /** aws.amazon.com/secrets-manager/pricing: a month of one */
  secret: 0.4,
  /** aws.amazon.com/cloudwatch/pricing: logs taken in, a month of one metric and of one alarm */
  logGigabyte: 0.5,
  metric: 0.3,
  alarm: 0.1,
  /** aws.amazon.com/xray/pricing: traces recorded */
  trace: 5e-6,
} as const;
