import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../lib/settings.ts';

const settings = (context: Record<string, string>) => readSettings((name) => context[name]);

describe('settings of a deployment', () => {
  it('needs none for a first deployment', () => {
    expect(settings({})).toEqual({
      stage: 'dev',
      venues: ['binance'],
      accountsPerSecret: 50,
      requestLimitFactor: 1,
      registration: 'first-user',
      venueUrls: {},
      symbols: ['BTC/USDT', 'ETH/USDT'],
      mailFrom: 'alphapulse@example.com',
      mailIdentity: 'create',
      allowedOrigins: ['http://localhost:5173'],
      data: 'keep',
    });
  });

  it('takes lists apart at their commas', () => {
    expect(settings({ venues: 'binance, kraken', symbols: 'BTC/USDT,SOL/USDT' })).toMatchObject({
      venues: ['binance', 'kraken'],
      symbols: ['BTC/USDT', 'SOL/USDT'],
    });
  });

  it('leads requests to a venue elsewhere', () => {
    const venueUrls = '{"binance":"https://proxy.example.com"}';
    expect(settings({ venueUrls })).toMatchObject({ venueUrls: { binance: 'https://proxy.example.com' } });
  });

  it('takes a domain only with one for the sockets and their certificate', () => {
    expect(() => settings({ domain: 'api.example.com' })).toThrow(
      /-c socketDomain=…: is needed with domain[\s\S]*-c certificateArn=…: is needed with domain/,
    );
  });

  it('asks for everything that production lacks at once', () => {
    expect(() => settings({ stage: 'prod' })).toThrow(/mailFrom=…: is needed[\s\S]*allowedOrigins=…: is needed/);
  });

  it.each([
    ['stage', 'staging'],
    ['venues', 'binanec'],
    ['venues', 'replay'],
    ['venueUrls', 'https://proxy.example.com'],
    ['venueUrls', '{"binance":"proxy"}'],
    ['symbols', 'BTCUSDT'],
    ['mailFrom', 'nobody'],
    ['mailIdentity', 'guess'],
    ['bootstrapCodeHash', 'the code itself'],
    ['operatorMail', 'nobody'],
    ['allowedOrigins', 'https://app.example.com/path'],
    ['allowedOrigins', '*'],
    ['domain', 'https://api.example.com'],
    ['certificateArn', 'my-certificate'],
    ['hostedZoneId', 'example.com'],
    ['data', 'forget'],
  ])('refuses -c %s=%s by its name', (name, value) => {
    expect(() => settings({ [name]: value })).toThrow(`-c ${name}=…: `);
  });
});
