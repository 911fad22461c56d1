import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SigningKeys } from '#shared/auth/signing-keys';
import { newSession, type SessionId } from '#shared/auth/stored-session';
import { issueAccessToken, TokenVerifier } from '#shared/auth/tokens';
import { RateLimiter } from '#shared/limits/rate-limiter';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock, systemRandom, uuidV7Ids } from '#shared/platform/system';
import { ObservedTable } from '../test/support/observed-table.ts';
import { testPlatform } from '../test/support/test-platform.ts';
import { figure, printTable } from './table.ts';

const route = 'GET /api/alerts/list';
/** What one caller may do in the bench: so much that it is never refused. */
const limits = { far: 1_000_000_000, near: 39 };

interface Cost {
  readonly ms: number;
  readonly reads: number;
  readonly writes: number;
}

/** What a request costs until its handler runs: the token's check, and the count of the caller's requests. */
export const benchAuthorization = async (quick: boolean): Promise<void> => {
  const rounds = quick ? 300 : 3000;
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-bench-'));
  const database = openDatabase(join(folder, 'bench.db'));
  try {
    const table = new ObservedTable(new SqliteTable(database, systemClock));
    const ids = uuidV7Ids(systemClock, systemRandom);
    const { platform } = testPlatform();
    const ports = { ...platform, clock: systemClock, ids, table };
    const keys = new SigningKeys(ports);
    const tokens = await Promise.all(
      Array.from({ length: rounds }, async () => {
        const client = { address: '192.0.2.1', userAgent: 'bench' };
        const user = { userId: ids.next() as UserId, role: 'trader' } as const;
        const session = newSession(user, ids.next() as SessionId, client, systemClock.now());
        await table.put(session);
        return await issueAccessToken(await keys.current(), ports, session);
      }),
    );
    const [token = ''] = tokens;
    const caching = (sessionCacheSeconds: number) =>
      new TokenVerifier({ ...ports, config: withSettings(ports.config, { auth: { sessionCacheSeconds } }) });
    const callers = tokens.map((_, index) => ['USER', `caller-${index}`] as const);

    const timed = async (run: (round: number) => Promise<unknown>): Promise<Cost> => {
      table.calls.length = 0;
      const startedAt = performance.now();
      for (let round = 0; round < rounds; round++) await run(round);
      const ms = (performance.now() - startedAt) / rounds;
      const writes = table.calls.filter((call) => call.writes).length;
      return { ms, reads: (table.calls.length - writes) / rounds, writes: writes / rounds };
    };
    const warm = async (checks: TokenVerifier) => {
      await checks.verify(token);
      return checks;
    };

    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const text = Buffer.from(token.slice(0, token.lastIndexOf('.')));
    const signature = sign(null, text, privateKey);
    const bare = await timed(async () => verify(null, text, publicKey, signature));

    const [local, aws] = [await warm(caching(0)), await warm(caching(60))];
    const limiter = new RateLimiter(ports);
    const rows: readonly (readonly [name: string, cost: Cost])[] = [
      ['bare Ed25519 verification', bare],
      ['token seen for the first time', await timed((round) => local.verify(tokens[round] ?? ''))],
      ['token seen before, one machine', await timed(() => local.verify(token))],
      ['token seen before, AWS', await timed(() => aws.verify(token))],
      ['count of a request, far below the limit', await timed(() => limiter.take(['USER', 'far'], route, limits.far))],
      [
        'count of a request, each written to the table',
        await timed((round) => limiter.take([...(callers[round] ?? ['USER', ''])], route, limits.near)),
      ],
    ];
    printTable(
      'What a request costs until its handler runs: table calls on SQLite',
      ['', 'ms', 'reads', 'writes', 'of bare'],
      rows.map(([name, { ms, reads, writes }]) => [
        ...[name, figure(ms), reads.toFixed(2), writes.toFixed(2), figure(ms / bare.ms)],
      ]),
    );
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
};
