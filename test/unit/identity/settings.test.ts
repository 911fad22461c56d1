import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import { verifyAudit } from '#shared/audit/verify';
import type { UserId } from '#shared/model/user-id';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { killed } from '../../support/killed.ts';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user();
  token = await tokenOf(system.platform, ada, 'admin');
});

const put = (body: object) => http.request('PUT', '/api/user/settings', { token, body });
const entries = async (type: string) =>
  (await new AuditReader(system.platform).ofUser(ada, { type }, { limit: 200 })).items;
/** How often the secret of webhooks was shown, as the audit log has it. */
const shown = async () =>
  (await entries('secret.webhook-secret-shown')).reduce((sum, { occurrences }) => sum + occurrences, 0);
const settings = async () => (await http.request('GET', '/api/user/profile', { token })).body.settings;

describe('settings', () => {
  it('change where they are given, and stay where they are not', async () => {
    const before = await settings();
    const quietHours = { from: '22:00', to: '07:00' };
    await put({ baseCurrency: 'EUR', timeZone: 'Europe/Berlin', quietHours });
    await put({ costBasisMethod: 'hifo', riskLimits: { maxOrderValue: '2500' } });
    await put({ riskLimits: { maxOpenOrders: 5 }, notificationChannels: ['websocket', 'email'], quietHours: null });
    expect(await settings()).toEqual({
      ...before,
      baseCurrency: 'EUR',
      timeZone: 'Europe/Berlin',
      costBasisMethod: 'hifo',
      riskLimits: { maxOrderValue: '2500', maxDailyLoss: null, maxOpenOrders: 5 },
      notificationChannels: ['websocket', 'email'],
      version: 4,
    });
  });

  it('that were changed since they were looked at are a conflict', async () => {
    expect((await put({ baseCurrency: 'EUR', version: 1 })).status).toBe(200);
    expect((await put({ baseCurrency: 'GBP', version: 1 })).status).toBe(409);
    expect((await settings()).baseCurrency).toBe('EUR');
  });

  it('changed by several at the same moment keep every change', async () => {
    await Promise.all([
      put({ baseCurrency: 'EUR' }),
      put({ timeZone: 'Asia/Tokyo' }),
      put({ costBasisMethod: 'lifo' }),
    ]);
    expect(await settings()).toMatchObject({ baseCurrency: 'EUR', timeZone: 'Asia/Tokyo', costBasisMethod: 'lifo' });
  });

  it('that are the same already are not written', async () => {
    await put({ baseCurrency: 'EUR' });
    expect((await put({ baseCurrency: 'EUR' })).body.version).toBe(2);
    expect((await put({})).body.version).toBe(2);
  });

  it.each([
    ['baseCurrency', 'eur'],
    ['baseCurrency', 'US'],
    ['timeZone', 'Mars/Olympus'],
    ['timeZone', '+01:00'],
    ['timeZone', `A${'x'.repeat(70)}`],
    ['quietHours', { from: '22:00', to: '22:00' }],
    ['quietHours', { from: '22:00', to: '24:00' }],
    ['quietHours', { from: '22:00' }],
    ['notificationChannels', ['pigeon']],
    ['notificationChannels', ['email', 'email']],
    ['costBasisMethod', 'guess'],
    ['riskLimits', { maxOrderValue: 5 }],
    ['riskLimits', { maxOrderValue: '-5' }],
    ['riskLimits', { maxOpenOrders: 0 }],
    ['riskLimits', { maxLeverage: '3' }],
    ['version', 0],
  ])('of %s refuse %j', async (field, value) => {
    const { status, body } = await put({ [field]: value });
    expect({ status, field: body.errors[0].path.split('.')[0] }).toEqual({ status: 422, field });
    expect((await settings()).version).toBe(1);
  });

  it('do not let webhooks go nowhere', async () => {
    expect((await put({ notificationChannels: ['webhook'] })).status).toBe(422);
    expect((await put({ notificationChannels: ['webhook'], webhookUrl: 'https://example.com/x' })).status).toBe(200);
    expect((await put({ webhookUrl: null })).status).toBe(422);
  });

  it('tell the secret of webhooks only to who sets their address', async () => {
    await put({ webhookUrl: 'https://example.com/x' });
    expect((await put({ baseCurrency: 'EUR' })).body).not.toHaveProperty('webhookSecret');
    expect((await put({ webhookUrl: 'https://example.com/x' })).body.webhookSecret).toMatch(/^whsec_/);
  });

  it('tell no secret of webhooks without writing that down first', async () => {
    system.table.before = failing(({ keys }) => keys.some(({ sk }) => sk.startsWith('TALLY#secret.')));
    const { status, text } = await put({ webhookUrl: 'https://example.com/x' });
    expect([status, text.includes('whsec_'), await shown()]).toEqual([503, false, 0]);
    system.table.before = () => {};
    expect((await put({ webhookUrl: 'https://example.com/x' })).body.webhookSecret).toMatch(/^whsec_/);
    expect(await shown()).toBe(1);
  });

  it.each(['before', 'after'] as const)('have their entries when the process is killed %s any write', async (when) => {
    let told = 0;
    for (let write = 0, isKilled = true; isKilled; write += 1) {
      isKilled = await killed(system, { write, when }, async () => {
        const { status } = await put({ webhookUrl: `https://example.com/${write}` });
        if (status === 200) told += 1;
      });
      expect(await entries('config.settings')).toHaveLength((await settings()).version - 1);
      expect(await shown()).toBeGreaterThanOrEqual(told);
    }
    expect(told).toBeGreaterThan(0);
    expect((await verifyAudit(system.store)).findings).toEqual([]);
  });

  it('are written down before and after, without the path of an address', async () => {
    await put({ webhookUrl: 'https://example.com/hook?token=hush', riskLimits: { maxDailyLoss: '100' } });
    const { items } = (await http.request('GET', '/api/user/audit?type=config.settings', { token })).body;
    expect(items).toMatchObject([
      {
        before: { webhookHost: null, maxDailyLoss: null, baseCurrency: 'USD' },
        after: { webhookHost: 'example.com', maxDailyLoss: '100', quietHours: null },
      },
    ]);
    expect(JSON.stringify(items)).not.toContain('hush');
  });
});
