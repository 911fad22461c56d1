import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { StoredReply } from '#shared/limits/items';
import { ConditionFailed } from '#shared/platform/errors';
import { Lease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, anyOf, equals, keyOf, type WriteCondition } from '#shared/platform/table';
import type { Caller } from './caller.ts';
import { HttpProblem } from './problem.ts';
import type { Reply } from './reply.ts';
import { type Route, routeKey } from './route.ts';

const retentionHours = 24;
/** How long a request holds its key; then another one with the same key and body takes over, as after a crash. */
const leaseSeconds = 30;
const lease = new Lease({ until: 'leaseUntil' }, leaseSeconds * 1000);
const keyLengthMax = 255;

/**
 * Runs a request once per `Idempotency-Key` of the caller and route, and replays its answer to later ones
 * (IETF draft idempotency-key-header). A request without the header runs every time.
 * @throws {HttpProblem} `malformed-request`; `conflict` for another body, and while the first request is running
 */
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
    return replay(await table.get<StoredReply>(key, { consistent: true }), bodyHash);
  }
  // The lease expires on its own, so a failure to release or complete it must not replace the answer.
  const keepLease = (error: unknown) =>
    logger.warn('An idempotency key could not be released or completed; it keeps its lease', { error: error as Error });
  let reply: Reply;
  try {
    reply = await run();
  } catch (error) {
    // The key is released for a retry; effects that must not happen twice even then are guarded by the route itself.
    await table.delete(key, isHeld).catch(keepLease);
    throw error;
  }
  const answered: StoredReply = { ...stored, status: reply.status, reply: JSON.stringify(reply.body ?? null) };
  await table.put(answered, isHeld).catch(keepLease);
  return reply;
};

const replay = (stored: StoredReply | undefined, bodyHash: string): Reply => {
  if (stored !== undefined && stored.bodyHash !== bodyHash) {
    throw new HttpProblem('conflict', 'This Idempotency-Key was used with another body.');
  }
  // Without a status the first request is still running; without an item it has just failed.
  if (stored?.status === undefined) {
    throw new HttpProblem('conflict', 'The first request with this Idempotency-Key is still running.', {
      headers: { 'retry-after': '1' },
    });
  }
  const body = JSON.parse(stored.reply ?? 'null');
  return { status: stored.status, headers: { 'idempotent-replayed': 'true' }, ...(body === null ? {} : { body }) };
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
