import { beforeEach, describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX } from '#functions/http/body';
import type { UserId } from '#shared/model/user-id';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' };

let http: TestHttpApi;
let token: string;
beforeEach(async () => {
  const system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  http = await httpApi(system.platform);
  token = await tokenOf(system.platform, ada, 'trader');
});

const create = (body: unknown, headers: Record<string, string> = {}) =>
  http.request('POST', '/api/alerts/create', { token, body, headers });
const alerts = async () => (await http.request('GET', '/api/alerts/list', { token })).body.items;

describe('bodies', () => {
  const raw = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    http.request('POST', '/api/alerts/create', { token, body, headers });

  it.each([
    ['nothing', ''],
    ['a word', 'nonsense'],
    ['a truncated object', '{"condition":'],
    ['a trailing comma', '{"condition":{},}'],
    ['two documents', '{}{}'],
    ['10,000 levels that never close', '{"a":'.repeat(10_000)],
    ['a string with half a surrogate pair', JSON.stringify({ condition, name: '\ud800' })],
    ['a prototype', `{"condition":${JSON.stringify(condition)},"__proto__":{"isAdmin":true}}`],
    ['a prototype deep inside', '{"condition":{"\\u005f_proto__":{"isAdmin":true}}}'],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
    ['33 lists', '['.repeat(33) + ']'.repeat(33)],
    ['half a surrogate pair deep inside', '{"condition":{"symbol":"\\udfff/USDT"}}'],
  ])('%s is a 400', async (_name, body) => {
    const answer = await raw(body);
    expect({ status: answer.status, type: answer.body.type }).toEqual({
      status: 400,
      type: '/problems/malformed-request',
    });
  });

  it.each([
    ['an array', '[]', 'body'],
    ['null', 'null', 'body'],
    ['a string', '"x"', 'body'],
    ['a number', '1', 'body'],
    ['no condition', '{}', 'condition'],
    ['a wrong type deep inside', JSON.stringify({ condition: { ...condition, value: 70_000 } }), 'condition.value'],
    ['a wrong element', JSON.stringify({ condition, channels: ['websocket', 'fax'] }), 'channels.1'],
    ['an unknown field', JSON.stringify({ condition, surprise: true }), 'body'],
    ['an unknown field deep inside', JSON.stringify({ condition: { ...condition, surprise: 1 } }), 'condition'],
    ['constructor', `{"condition":${JSON.stringify(condition)},"constructor":{"prototype":{}}}`, 'body'],
    [
      'a number that is infinite',
      `{"condition":${JSON.stringify(condition)},"cooldownSeconds":1e999}`,
      'cooldownSeconds',
    ],
    ['a huge price', JSON.stringify({ condition: { ...condition, value: '9'.repeat(40) } }), 'condition.value'],
    ['a price with an exponent', JSON.stringify({ condition: { ...condition, value: '1e5' } }), 'condition.value'],
    ['a price in other digits', JSON.stringify({ condition: { ...condition, value: '７0' } }), 'condition.value'],
    [
      'a price with a line after it',
      JSON.stringify({ condition: { ...condition, value: '70000\n' } }),
      'condition.value',
    ],
    [
      'a symbol that would break a key',
      JSON.stringify({ condition: { ...condition, symbol: 'BTC#X/USDT' } }),
      'condition.symbol',
    ],
    [
      'a symbol that is not traded',
      JSON.stringify({ condition: { ...condition, symbol: "BTC';--/USDT" } }),
      'condition.symbol',
    ],
  ])('%s is a 422 that names the field', async (_name, body, path) => {
    const answer = await raw(body);
    expect({ status: answer.status, path: answer.body.errors?.[0]?.path }).toEqual({ status: 422, path });
    expect(await alerts()).toEqual([]);
  });

  it('10,000 levels of JSON are refused', async () => {
    expect([400, 422]).toContain((await raw(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)).status);
    expect([400, 422]).toContain((await raw(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).status);
  });

  it('brackets in strings do not count as levels', async () => {
    expect((await create({ condition, name: `\\"${'[{'.repeat(40)}` })).status).toBe(201);
  });

  it('leaves all other objects as they are, whatever it holds', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      await raw(`{"condition":${JSON.stringify(condition)},"${name}":{"isAdmin":true,"prototype":{"isAdmin":true}}}`);
      const balances = `{"${name}":"1"}`;
      const account = `{"venue":"sim","label":"x","mode":"paper","paper":{"balances":${balances}}}`;
      await http.request('POST', '/api/exchange/accounts', {
        token,
        body: account,
        headers: { 'content-type': 'application/json' },
      });
    }
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('the answer to invalid input is short, however many errors there are', async () => {
    const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`unknown-${index}`, 1]));
    expect((await raw(JSON.stringify(fields))).text.length).toBeLessThan(4000);
  });

  it.each([
    ['characters', JSON.stringify({ condition, name: 'x'.repeat(BODY_BYTES_MAX) })],
    ['bytes', JSON.stringify({ condition, name: '☃'.repeat(BODY_BYTES_MAX / 3) })],
  ])('too many %s are a 413', async (_name, body) => {
    expect((await raw(body)).status).toBe(413);
  });

  it('a body of the maximum size is accepted', async () => {
    const body = JSON.stringify({ condition });
    expect((await raw(body.padEnd(BODY_BYTES_MAX))).status).toBe(201);
  });

  it.each([
    ['none', {}],
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something longer', { 'content-type': 'application/jsonp' }],
    ['two', { 'content-type': 'application/json,text/plain' }],
  ])('a content type is needed that says JSON: %s is a 415', async (_name, headers) => {
    expect((await raw(JSON.stringify({ condition }), headers as Record<string, string>)).status).toBe(415);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;charset="utf-8"'])(
    'takes %s',
    async (contentType) => {
      expect((await raw(JSON.stringify({ condition }), { 'content-type': contentType })).status).toBe(201);
    },
  );

  it('reads a base64-encoded body', async () => {
    const body = Buffer.from(JSON.stringify({ condition, name: 'Höhe ☃' })).toString('base64');
    const answer = await http.request('POST', '/api/alerts/create', {
      token,
      body,
      isBase64Encoded: true,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer).toMatchObject({ status: 201, body: { name: 'Höhe ☃' } });
  });

  it('keeps NUL, markup and characters beyond the first plane as they are', async () => {
    const name = 'a\0<script>"\u2028𝒳';
    expect((await create({ condition, name })).body.name).toBe(name);
    expect(await alerts()).toMatchObject([{ name }]);
  });
});
