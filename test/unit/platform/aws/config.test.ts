import { describe, expect, it } from 'vitest';
import { RESOURCE_VARIABLES, readConfig, required } from '#shared/platform/aws/config';

const least = { ALPHAPULSE_VERSION: '1.2.3', ALPHAPULSE_VENUES: 'binance', ALPHAPULSE_MAIL_FROM: 'alerts@example.com' };

describe('the configuration', () => {
  it('needs no more than version, venues and a sender', () => {
    expect(readConfig(least)).toEqual({
      version: '1.2.3',
      soleWriterSince: 0,
      market: { venues: ['binance'], symbols: [], syncSeconds: 5, syncWindowSeconds: 0 },
      exchange: { venueUrls: {}, simulationSeed: 'alphapulse', replayFiles: [], replaySpeed: 60 },
      accounts: { syncSeconds: 60, perSecret: 50 },
      users: { registration: 'first-user', emailVerification: 'required' },
      auth: { sessionCacheSeconds: 60 },
      mail: { from: 'alerts@example.com' },
      http: { corsOrigins: [], requestLimitFactor: 1, strictTransport: true },
      notifications: { privateWebhooks: false },
    });
  });

  it('takes everything from the environment', () => {
    const config = readConfig({
      ...least,
      ALPHAPULSE_VENUES: 'binance, sim',
      ALPHAPULSE_SYMBOLS: 'BTC/USDT,ETH/USDT',
      ALPHAPULSE_VENUE_URLS: '{"binance":"http://127.0.0.1:9001"}',
      ALPHAPULSE_MARKET_SYNC_SECONDS: '0.5',
      ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS: '50',
      ALPHAPULSE_CORS_ORIGINS: 'https://app.example.com',
      ALPHAPULSE_REGISTRATION: 'open',
      ALPHAPULSE_SIM_SEED: 'seed',
      ALPHAPULSE_ACCOUNT_SYNC_SECONDS: '300',
      ALPHAPULSE_ACCOUNTS_PER_SECRET: '10',
      ALPHAPULSE_REQUEST_LIMIT_FACTOR: '2',
      ALPHAPULSE_APP_URL: 'https://app.example.com',
    });
    expect(config).toMatchObject({
      market: {
        venues: ['binance', 'sim'],
        symbols: ['BTC/USDT', 'ETH/USDT'],
        syncSeconds: 0.5,
        syncWindowSeconds: 50,
      },
      exchange: { venueUrls: { binance: 'http://127.0.0.1:9001' }, simulationSeed: 'seed' },
      accounts: { syncSeconds: 300, perSecret: 10 },
      users: { registration: 'open' },
      mail: { appUrl: 'https://app.example.com' },
      http: { corsOrigins: ['https://app.example.com'], requestLimitFactor: 2 },
    });
  });

  it('names every variable that is missing, also by being empty', () => {
    expect(() => readConfig({ ALPHAPULSE_VENUES: '' })).toThrow(
      'The environment does not configure AlphaPulse: ALPHAPULSE_VERSION: is missing; ALPHAPULSE_VENUES: is missing; ALPHAPULSE_MAIL_FROM: is missing',
    );
  });

  it.each([
    ['ALPHAPULSE_VENUES', 'binance,,sim'],
    ['ALPHAPULSE_VENUE_URLS', '{'],
    ['ALPHAPULSE_VENUE_URLS', '{"binance":"ftp://example.com"}'],
    ['ALPHAPULSE_MARKET_SYNC_SECONDS', '61'],
    ['ALPHAPULSE_REGISTRATION', 'closed'],
    ['ALPHAPULSE_APP_URL', 'app.example.com'],
    ['ALPHAPULSE_MARKET_SYNC_SECONDS', 'soon'],
    ['ALPHAPULSE_MARKET_SYNC_WINDOW_SECONDS', '-1'],
  ])('says that %s can not be %j, without repeating it', (name, value) => {
    expect(() => readConfig({ ...least, [name]: value })).toThrow(name);
    expect(() => readConfig({ ...least, [name]: value })).not.toThrow(value);
  });
});

describe('a resource', () => {
  it('is named by its variable', () => {
    expect(RESOURCE_VARIABLES.queueUrl('deliveries-dead')).toBe('QUEUE_URL_DELIVERIES_DEAD');
    expect(required({ TABLE_NAME: 'table' }, RESOURCE_VARIABLES.table)).toBe('table');
  });

  it('that is missing is named by the error', () => {
    expect(() => required({ TABLE_NAME: '' }, RESOURCE_VARIABLES.table)).toThrow('TABLE_NAME');
  });
});
