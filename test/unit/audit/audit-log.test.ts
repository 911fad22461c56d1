import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { AUDIT_WRITES_MAX, AuditLog } from '#shared/audit/audit-log';
import { AuditReader } from '#shared/audit/audit-reader';
import type { AuditEvent } from '#shared/audit/entry';
import { counted, type Tally } from '#shared/audit/repeats';
import { verifyAudit } from '#shared/audit/verify';
import { NotificationChannel } from '#shared/model/channels';
import { OrderSide, OrderStatus, OrderType } from '#shared/model/order';
import { Severity } from '#shared/model/severity';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import { ABSENT, PRESENT, type Write } from '#shared/platform/table';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const session = '01890000-0000-7000-8000-00000000005e';
const loggedIn: AuditEvent = {
  type: 'auth.login-succeeded',
  actor: { kind: 'user', userId: ada, sessionId: session },
  source: { address: '203.0.113.7', userAgent: 'curl/8' },
  target: session,
  after: { method: 'password' },
};
const refused: AuditEvent = {
  ...{ type: 'auth.login-failed', actor: { kind: 'anonymous' }, trail: ada, after: { reason: 'password' } },
};
const own = { pk: 'OWN', sk: 'ITEM', kind: 'watch' };

let system: TestPlatform;
let log: AuditLog;
beforeEach(() => {
  system = testPlatform();
  log = new AuditLog(system.platform);
});

const trail = async () => (await new AuditReader(system.platform).ofUser(ada, {}, { limit: 200 })).items;
const everything = async () => (await new AuditReader(system.platform).everywhere({}, { limit: 200 })).items;

describe('an entry', () => {
  it('tells who did what, when, from where and with which outcome', async () => {
    await log.record(loggedIn);
    expect(await trail()).toEqual([
      {
        trail: ada,
        seq: 1,
        at: system.clock.now(),
        type: 'auth.login-succeeded',
        outcome: 'success',
        actor: { kind: 'user', userId: ada, credentialId: session },
        source: { address: '203.0.113.7', userAgent: 'curl/8' },
        target: { kind: 'session', id: session },
        before: null,
        after: { method: 'password' },
        occurrences: 1,
        previous: '0'.repeat(64),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it('takes only the named facts out of a whole object', async () => {
    const account = {
      venue: 'binance',
      mode: 'live',
      label: 'mine',
      credentials: { apiKey: 'k', secret: 's' },
    } as const;
    await log.record({ type: 'config.account-added', actor: loggedIn.actor, target: session, after: account });
    expect((await trail())[0]?.after).toEqual({ venue: 'binance', mode: 'live' });
  });

  it('knows every channel, severity and word of orders', async () => {
    const { actor } = loggedIn;
    const channels = NotificationChannel.options;
    for (const severity of Severity.options) {
      const after = { severity, channels };
      await log.record({ type: 'config.alert-created', actor, target: session, after });
      expect((await trail())[0]?.after).toEqual(after);
    }
    for (const status of OrderStatus.options) {
      for (const [side, type] of OrderSide.options.flatMap((one) =>
        OrderType.options.map((kind) => [one, kind] as const),
      )) {
        const after = { side, type, status };
        await log.record({ type: 'trade.order-placed', actor, target: session, after });
        expect((await trail())[0]?.after).toEqual(after);
      }
    }
  });

  it('lets no secret in, wherever a caller puts it', async () => {
    const unit = fc.constantFrom(...'ABCdefXYZ0189_-+/='.split(''));
    const secret = fc.string({ minLength: 8, unit }).map((text) => `S${text}`);
    await fc.assert(
      fc.asyncProperty(secret, async (value) => {
        const misplaced = {
          ...{ type: 'config.account-changed', actor: { kind: 'api-key', userId: ada, keyId: value } },
          source: { address: value },
          target: value,
          before: { venue: 'binance', mode: value, secret: value },
          after: { syncSeconds: value, readOnly: value, apiKey: value },
        } as unknown as AuditEvent;
        await log.record(misplaced);
        const [entry] = await trail();
        expect(JSON.stringify({ ...entry, hash: '', previous: '' })).not.toContain(value);
      }),
      { numRuns: 20 },
    );
  });

  it('bounds the user agent and takes out what leads a terminal astray', async () => {
    await log.record({ ...loggedIn, source: { address: '::1', userAgent: `\u001b[2J${'a'.repeat(500)}\ud800` } });
    expect((await trail())[0]?.source?.userAgent).toBe(`\u{fffd}[2J${'a'.repeat(196)}`);
  });

  it('belongs to the system where no user is known, and names no mail address', async () => {
    await log.record({ type: 'auth.login-failed', actor: { kind: 'anonymous' }, after: { reason: 'unknown-user' } });
    expect(await everything()).toMatchObject([{ trail: 'system', target: null, after: { reason: 'unknown-user' } }]);
  });

  it('is never older than the one before it in its trail, though the clock was set back', async () => {
    await log.record(loggedIn);
    await new AuditLog({ ...system.platform, clock: { now: () => 0, sleep: async () => {} } }).record(loggedIn);
    expect((await trail()).map(({ at }) => at)).toEqual([system.clock.now(), system.clock.now()]);
  });
});

describe('a change and its entry', () => {
  it('are made together', async () => {
    await log.transact([{ put: own, if: ABSENT }], loggedIn);
    expect([await system.table.get(own), (await trail()).length]).toEqual([own, 1]);
  });

  it('are both left undone where the condition of the change does not hold, which the caller gets to know', async () => {
    const change: Write[] = [
      { put: { ...own, sk: 'OTHER' } },
      { update: own, changes: { set: { a: 1 } }, if: PRESENT },
    ];
    await expect(log.transact(change, loggedIn)).rejects.toEqual(new TransactionCanceled([1]));
    expect([await system.table.get({ ...own, sk: 'OTHER' }), await trail()]).toEqual([undefined, []]);
  });

  it('are both made although somebody else appended meanwhile', async () => {
    await log.record(loggedIn);
    system.table.once(
      ({ name, keys }) => name === 'transact' && keys.some(({ pk }) => pk === own.pk),
      () => new AuditLog({ ...system.platform, table: system.store }).record(loggedIn),
    );
    await system.awake(log.transact([{ put: own, if: ABSENT }], loggedIn));
    expect([await system.table.get(own), (await trail()).map(({ seq }) => seq)]).toEqual([own, [3, 2, 1]]);
  });

  it('may have as many writes as a transaction without those of the log', async () => {
    const writes = Array.from({ length: 100 - AUDIT_WRITES_MAX }, (_, n): Write => ({ put: { ...own, sk: `${n}` } }));
    await log.transact(writes, loggedIn);
    expect(await trail()).toHaveLength(1);
  });

  it('are never half made, wherever the process is killed', async () => {
    for (let calls = 0; ; calls += 1) {
      const killed = testPlatform();
      let left = calls;
      killed.table.before = () => {
        left -= 1;
        if (left < 0) throw new Unavailable('killed');
      };
      const isDone = await new AuditLog(killed.platform).transact([{ put: own, if: ABSENT }], loggedIn).then(
        () => true,
        () => false,
      );
      const { findings, entries } = await verifyAudit(killed.store);
      expect([findings, entries]).toEqual([[], isDone ? 2 : 0]);
      expect(await killed.store.get(own)).toEqual(isDone ? own : undefined);
      if (isDone) break;
    }
  });
});

describe('the log', () => {
  it('gives concurrent appends numbers without gaps', async () => {
    const workers = Array.from({ length: 12 }, () => new AuditLog(system.platform));
    await system.awake(Promise.all(workers.map((worker) => worker.transact([], loggedIn))));
    expect((await trail()).map(({ seq }) => seq)).toEqual(workers.map((_, index) => workers.length - index));
    expect((await verifyAudit(system.store)).findings).toEqual([]);
  });

  it('answers and tells the operator where a refusal could not be written down', async () => {
    const told: unknown[] = [];
    const logger = Object.assign(Object.create(system.platform.logger), {
      error: (...message: unknown[]) => told.push(message),
    });
    system.table.before = failing(() => true);
    await new AuditLog({ ...system.platform, logger }).record({ ...refused, source: { address: '203.0.113.7' } });
    expect(told).toEqual([
      [
        'An audit entry could not be written',
        { audit: 'auth.login-failed', trail: ada, at: system.clock.now(), error: expect.any(Unavailable) },
      ],
    ]);
  });
});

describe('a flood of failed logins', () => {
  it('makes few entries, and none of the logins is forgotten', async () => {
    for (let attempt = 0; attempt < 40; attempt += 1) await log.record(refused);
    expect((await trail()).map(({ occurrences }) => occurrences)).toEqual([16, 8, 4, 1, 1, 1, 1]);
    await system.clock.advance(3_600_000);
    await log.record(refused);
    expect((await trail())[0]?.occurrences).toBe(9);
  });

  it('does not keep a login that succeeds out of the trail', async () => {
    for (let attempt = 0; attempt < 6; attempt += 1) await log.record(refused);
    await log.record(loggedIn);
    expect((await trail())[0]?.type).toBe('auth.login-succeeded');
  });

  it('is counted exactly by concurrent workers', async () => {
    const workers = Array.from({ length: 8 }, () => new AuditLog(system.platform));
    await system.awake(Promise.all(workers.map((worker) => worker.record(refused))));
    expect((await trail()).reduce((sum, { occurrences }) => sum + occurrences, 0)).toBe(8);
  });

  it('is told as a whole at any pace, with entries that grow as its logarithm', async () => {
    await fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 400 }), (pauses) => {
        let tally: Tally | undefined;
        let now = 0;
        let told = 0;
        let entries = 0;
        for (const pause of [...pauses, 3_600_000]) {
          now += pause;
          const { occurrences, ...next } = counted(tally, now);
          tally = next.tally;
          told += occurrences ?? 0;
          entries += occurrences === undefined ? 0 : 1;
        }
        expect(told).toBe(pauses.length + 1);
        expect(entries).toBeLessThanOrEqual(12 * (Math.floor(now / 3_600_000) + 1));
      }),
    );
  });
});
