import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { localLogger } from '#local/telemetry';
import type { UserId } from '#shared/model/user-id';
import { redacted } from '#shared/platform/redaction';
import { tokenOf } from '../../support/http-events.ts';
import { testPlatform } from '../../support/test-platform.ts';

const { platform } = testPlatform();
const token = await tokenOf(platform, '01890000-0000-7000-8000-00000000ada0' as UserId, 'trader');
const { privateKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const venueKey = 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A';
const opaque = `aB3${randomBytes(32).toString('base64url')}`;

/** Secrets, as they may stand in a text. */
const texts = {
  'an access token': [`The token ${token} was refused`, token.split('.')[1] ?? ''],
  'a token that was cut off': [`got ${token.slice(0, 60)}`, token.slice(10, 60)],
  'an authorization header': ['authorization: Bearer abc.def-123', 'abc.def-123'],
  'a login': ['Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNzd29yZA'],
  'a key in PEM': [`could not read ${privateKey}`, privateKey.split('\n')[1] ?? ''],
  'a key in PEM that was cut off': [privateKey.slice(0, 80), privateKey.split('\n')[1]?.slice(0, 20) ?? ''],
  'the key of a venue': [`binance {"code":-2015} ${venueKey}`, venueKey],
  'an opaque token': [`no session has ${opaque}`, opaque],
  'a signed URL': ['GET https://api.example.com/v3/account?recvWindow=5&signature=0a1b2c3d failed', '0a1b2c3d'],
  'a token in a URL': ['wss://example.com/ws?token=hunter2-token&x=1', 'hunter2-token'],
  'a login in a URL': ['smtp://mail:hunter2-smtp@example.com:587', 'hunter2-smtp'],
  'a body in JSON': ['sent {"email":"ada@example.com","password":"hunter2 horse"}', 'hunter2 horse'],
  'a body in JSON within JSON': [JSON.stringify(JSON.stringify({ apiSecret: 'hunter2 twice' })), 'hunter2 twice'],
  'a webhook secret': ['signed with whsec_c2VjcmV0', 'whsec_c2VjcmV0'],
} as const;

/** The names under which secrets may be handed to a logger. */
const names = [
  ...['authorization', 'Authorization', 'cookie', 'set-cookie', 'x-api-key', 'X-Api-Key', 'apiKey', 'api_key'],
  ...['password', 'newPassword', 'passwordHash', 'secret', 'webhookSecret', 'apiSecret', 'token', 'accessToken'],
  ...[
    'refreshToken',
    'refresh_token',
    'totp',
    'totpCode',
    'otp',
    'privateKey',
    'credentials',
    'sec-websocket-protocol',
  ],
];

describe.each([
  ['on one machine', () => localLogger('TRACE')],
  ['on AWS', () => new Logger({ logLevel: 'TRACE', serviceName: 'alphapulse', jsonReplacerFn: redacted })],
])('the logger %s', (_, create) => {
  let logger: Logger;
  let lines: string[];
  beforeEach(() => {
    logger = create();
    lines = [];
    const take = (line: string) => void lines.push(line);
    Reflect.set(logger, 'console', { ...console, debug: take, info: take, warn: take, error: take, log: take });
  });
  const logged = () => lines.join('\n');

  it.each(Object.entries(texts))('leaves out %s, wherever it stands', (_kind, [text, secret]) => {
    const cause = new Error(text, { cause: new Error('inner', { cause: text }) });
    logger.error(text);
    logger.warn('It failed', { detail: text, deep: { list: [{ text }] } });
    logger.error('It failed', { error: new Error('outer', { cause }) as Error });
    logger.error(text, Object.assign(new Error(text), { response: { body: text } }));
    logger.appendKeys({ where: text });
    logger.info('It goes on');
    expect(lines).toHaveLength(5);
    expect(logged()).not.toContain(secret);
    expect(logged()).toContain('[secret]');
  });

  it.each(names)('leaves out what is called %s', (name) => {
    logger.info('A request', {
      [name]: 'hunter2',
      headers: { [name]: ['hunter2'] },
      deep: { [name]: { a: 'hunter2' } },
    });
    logger.error('It failed', Object.assign(new Error('outer'), { [name]: 'hunter2' }));
    expect(logged()).not.toContain('hunter2');
  });

  it('leaves out a code that is a number', () => {
    logger.info('A login', { totp: 123_456 });
    expect(logged()).not.toContain('123456');
  });

  it('hands it on to its children', () => {
    const child = logger.createChild({ persistentKeys: { function: 'users-api' } });
    const take = vi.fn<(line: string) => void>();
    Reflect.set(child, 'console', { ...console, info: take });
    child.info(`Bearer ${opaque}`);
    expect(take.mock.calls.flat().join()).toContain('users-api');
    expect(take.mock.calls.flat().join()).not.toContain(opaque);
  });

  it.each([
    'GET /api/market/prices took 12 ms',
    '01890000-0000-7000-8000-00000000ada0',
    '1-5759e988-bd862e3fe1be46a994272793',
    'file:///var/task/shared/platform/local/Telemetry4/node_modules/zod/v4/core.js:123:45',
    'the secret exchange-credentials/12 is damaged',
    'The token has expired',
    'arn:aws:lambda:us-east-1:111111111111:function:alphapulse-dev-UsersApiFunction12AB-aBcD1234',
    'BTC/USDT crosses above 70000.000000000000000001',
  ])('shows what is no secret: %s', (text) => {
    logger.info(text);
    expect(logged()).toContain(text);
  });

  it('writes one line, whatever stands in it', () => {
    logger.info('agent\r\n{"level":"ERROR","message":"forged"}', { userAgent: 'x\n{"level":"ERROR"}\u2028' });
    expect(lines.map((line) => line.split(/[\r\n]/).length)).toEqual([1]);
  });

  it('takes no time for a text that is long', () => {
    const start = performance.now();
    for (const unit of ['a-', '"secret', '://', 'eyJ', '?token', 'Bearer ', '-----BEGIN A'])
      logger.info(unit.repeat(50_000));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
