import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ConditionFailed } from '#shared/platform/errors';
import { Lease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, anyOf, equals, type Item, keyOf, type WriteCondition } from '#shared/platform/table';
import type { Reply } from './api.ts';
import type { Caller } from './caller.ts';
import { HttpProblem } from './problem.ts';
import { type Route, routeKey } from './route.ts';

const retentionHours = 24;
/** How long a request may run before another one with the same key takes over, as after a crash. */
const leaseSeconds = 30;
const lease = new Lease({ until: 'leaseUntil' }, leaseSeconds * 1000);
const keyLengthMax = 255;

interface StoredReply extends Item {
  readonly kind: 'idempotency';
  readonly bodyHash: string;
  readonly leaseUntil: number;
  readonly status?: number;
  readonly reply?: string;
}

/** Runs a request once per `Idempotency-Key` of the caller and route, and repeats its answer (IETF draft idempotency-key-header). */
export const onceByKey = async (
  { table, clock, logger }: Platform,
  caller: Caller,
  route: Pick<Route, 'method' | 'path'>,
  event: APIGatewayProxyEventV2,
  body: unknown,
  run: () => Promise<Reply>,
): Promise<Reply> => {
  const idempotencyKey = event.headers['idempotency-key'];
  if (idempotencyKey === undefined) return run();
  if (idempotencyKey === '' || idempotencyKey.length > keyLengthMax) {
    throw new HttpProblem('malformed-request', `Idempotency-Key must have 1 to ${keyLengthMax} characters.`);
  }
  const key = {
    pk: keyOf('USER', caller.userId),
    sk: keyOf('IDEMPOTENCY', sha256(`${routeKey(route)}\n${idempotencyKey}`)),
  };
  const bodyHash = sha256(JSON.stringify(body));
  const nowSeconds = Math.floor(clock.now() / 1000);
  const { until: leaseUntil, isHeld } = lease.acquired(clock.now());
  const expiresAt = nowSeconds + retentionHours * 3600;
  const free: WriteCondition = anyOf(
    ABSENT,
    { path: 'expiresAt', is: '<=', value: nowSeconds },
    allOf(equals('bodyHash', bodyHash), { path: 'status', is: 'absent' }, lease.isFree(clock.now())),
  );
  const stored: StoredReply = { ...key, kind: 'idempotency', bodyHash, leaseUntil, expiresAt };
  try {
    await table.put(stored, free);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return repeat(await table.get<StoredReply>(key, { consistent: true }), bodyHash);
  }
  // The lease goes when its time is over, so an answer that is known is given whatever becomes of it.
  const leaseStays = (error: unknown) => logger.warn('An idempotency key keeps its lease', { error: error as Error });
  let reply: Reply;
  try {
    reply = await run();
  } catch (error) {
    // The key is free for another try; what must not happen twice even then, a route guards itself.
    await table.delete(key, isHeld).catch(leaseStays);
    throw error;
  }
  const answered: StoredReply = { ...stored, status: reply.status, reply: JSON.stringify(reply.body ?? null) };
  await table.put(answered, isHeld).catch(leaseStays);
  return reply;
};

const repeat = (stored: StoredReply | undefined, bodyHash: string): Reply => {
  if (stored !== undefined && stored.bodyHash !== bodyHash) {
    throw new HttpProblem('conflict', 'This Idempotency-Key was used with another body.');
  }
  // Without a status the first request is under way; without an item it failed just now.
  if (stored?.status === undefined) {
    throw new HttpProblem('conflict', 'The first request with this Idempotency-Key is still running.', {
      headers: { 'retry-after': '1' },
    });
  }
  const body = JSON.parse(stored.reply ?? 'null');
  return { status: stored.status, headers: { 'idempotent-replayed': 'true' }, ...(body === null ? {} : { body }) };
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
