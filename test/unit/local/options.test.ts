import { describe, expect, it } from 'vitest';
import { BadOption } from '#local/given-settings';
import { type Options, readOptions } from '#local/options';
import { withSettings } from '#shared/platform/config/config';
import { oneMachineConfig } from '#shared/platform/config/one-machine';

const read = (args = '', environment: Record<string, string> = {}) => {
  const options = readOptions(args.split(' ').filter(Boolean), environment, ['binance', 'kraken']);
  if (options === 'help') throw new Error('help');
  return options;
};

const configOf = ({ settings }: Options) =>
  oneMachineConfig('1.2.3', withSettings(settings, { market: { venues: [] } }));

describe('readOptions', () => {
  it('has a default for everything', () => {
    expect(read()).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      dataFolder: '.alphapulse',
      venues: 'auto',
      logLevel: 'WARN',
    });
    expect(configOf(read())).toMatchObject({ market: { symbols: [], syncSeconds: 5 }, accounts: { syncSeconds: 60 } });
    expect(read().settings.market?.symbols).toBeUndefined();
  });

  it.each([
    ['', {}, 'open'],
    ['--host 0.0.0.0', {}, 'first-user'],
    ['--host 0.0.0.0', { ALPHAPULSE_REGISTRATION: 'open' }, 'open'],
    ['', { ALPHAPULSE_REGISTRATION: 'first-user' }, 'first-user'],
    ['--behind-proxy 127.0.0.1 --public-url https://a.example.com', {}, 'first-user'],
  ])('with %j and %j has registration %s', (args, environment, registration) => {
    expect(read(args, environment)).toMatchObject({ settings: { users: { registration } } });
  });

  it('reads flags', () => {
    expect(
      read('--port 8080 --host 0.0.0.0 --data /tmp/x --venue sim,binance --symbols BTC/USDT,ETH/USDT'),
    ).toMatchObject({
      port: 8080,
      host: '0.0.0.0',
      dataFolder: '/tmp/x',
      venues: ['sim', 'binance'],
      settings: { market: { symbols: ['BTC/USDT', 'ETH/USDT'] } },
    });
  });

  it('takes a flag before its variable', () => {
    expect(read('--port 1', { ALPHAPULSE_PORT: '2', ALPHAPULSE_HOST: 'localhost' })).toMatchObject({
      port: 1,
      host: 'localhost',
    });
  });

  it('takes an empty variable as none', () => expect(read('', { ALPHAPULSE_PORT: '' }).port).toBe(3000));

  it('takes several files behind one --replay or several, and plays them', () => {
    expect(read('--replay a.csv b.csv --speed 600 --replay c.csv')).toMatchObject({
      venues: ['replay'],
      settings: { exchange: { replayFiles: ['a.csv', 'b.csv', 'c.csv'], replaySpeed: 600 } },
    });
  });

  it('takes what the one file is of', () => {
    expect(read('--replay a.csv --symbol BTC/USDT --timeframe 4h').settings.exchange).toMatchObject({
      replayFiles: ['a.csv'],
      replaySymbol: 'BTC/USDT',
      replayTimeframe: '4h',
    });
  });

  it.each([
    ['5', 5, 60],
    ['0.05,1', 0.05, 1],
  ])('reads the sync periods %s', (text, marketSeconds, accountSeconds) =>
    expect(configOf(read('', { ALPHAPULSE_SYNC_SECONDS: text }))).toMatchObject({
      market: { syncSeconds: marketSeconds },
      accounts: { syncSeconds: accountSeconds },
    }),
  );

  it('reads the URLs of venues', () => {
    const urls = { binance: 'http://127.0.0.1:9001' };
    expect(read('', { ALPHAPULSE_VENUE_URLS: JSON.stringify(urls) }).settings.exchange?.venueUrls).toEqual(urls);
  });

  it.each([
    ['--behind-proxy 10.0.0.0/8 --public-url https://a.example.com/', {}],
    ['', { ALPHAPULSE_BEHIND_PROXY: '10.0.0.0/8,127.0.0.1', ALPHAPULSE_PUBLIC_URL: 'https://a.example.com' }],
  ])('reads the networks and the URL of a proxy from %j and %j, and has browsers use TLS', (args, environment) => {
    const { proxy, settings } = read(args, environment);
    expect(proxy?.publicUrl).toBe('https://a.example.com');
    expect([proxy?.networks.contains('10.1.2.3'), proxy?.networks.contains('11.0.0.1')]).toEqual([true, false]);
    expect(settings.http?.strictTransport).toBe(true);
  });

  it.each([
    ['', {}, false],
    ['--private-webhooks', {}, true],
    ['--private-webhooks --port 0', {}, true],
    ['', { ALPHAPULSE_PRIVATE_WEBHOOKS: 'true' }, true],
    ['', { ALPHAPULSE_PRIVATE_WEBHOOKS: 'false' }, false],
    ['--private-webhooks=false', { ALPHAPULSE_PRIVATE_WEBHOOKS: 'true' }, false],
  ])('with %j and %j sends webhooks to private addresses: %s', (args, environment, privateWebhooks) =>
    expect(configOf(read(args, environment)).notifications).toEqual({ privateWebhooks }),
  );

  it('allows pages of a web app under development, unless told otherwise', () => {
    expect(configOf(read()).http.corsOrigins).toEqual(['http://localhost:5173']);
    const origin = 'https://app.example.com';
    expect(configOf(read('', { ALPHAPULSE_CORS_ORIGINS: origin })).http.corsOrigins).toEqual([origin]);
  });

  it('gives the usage when asked', () => expect(readOptions(['--help'], {}, [])).toBe('help'));

  it.each([
    ['--prot 1', 'There is no flag --prot, perhaps --port; see --help.'],
    ['--port', '--port needs a value; see --help.'],
    ['--port --host x', '--port needs a value; see --help.'],
    ['--port 70000', '--port must be a port, 0 to 65535, not "70000".'],
    ['--port 1.5', '--port must be a port, 0 to 65535, not "1.5".'],
    ['--port 0x10', '--port must be a port, 0 to 65535, not "0x10".'],
    ['--venue binanse', '--venue: there is no venue binanse, perhaps binance.'],
    ['--venue auto,sim', "--venue: auto can't be combined with other venues or files."],
    ['--venue replay', '--venue: replay needs --replay with a file to play.'],
    ['--venue sim --replay a.csv', '--replay needs the venue replay, and --venue leaves it out.'],
    ['--symbols BTC', '--symbols must be a list of symbols such as BTC/USDT,ETH/USDT, not "BTC".'],
    ['--speed 60', '--speed needs --replay with a file to play.'],
    ['--symbol BTC/USDT', '--symbol needs --replay with one file, and there is none.'],
    ['--replay a.csv b.csv --timeframe 1m', '--timeframe needs --replay with one file, and there are 2.'],
    ['--replay a.csv --symbol BTC', '--symbol must be a symbol such as BTC/USDT, not "BTC".'],
    ['--replay a.csv --timeframe soon', '--timeframe must be a timeframe such as 1m, 4h or 1M, not "soon".'],
    ['--replay a.csv --speed 0', '--speed must be a number above 0 such as 60, not "0".'],
    ['--behind-proxy 10.0.0.1', '--behind-proxy needs --public-url with the https URL of your proxy.'],
    ['--public-url https://a.example.com', '--public-url needs --behind-proxy with the networks of your proxies.'],
    [
      '--behind-proxy 0.0.0.0/0 --public-url https://a.example.com',
      '--behind-proxy must be the networks of your proxies such as 127.0.0.1 or 10.0.0.0/8, not "0.0.0.0/0".',
    ],
    [
      '--behind-proxy 10.0.0.1 --public-url http://a.example.com',
      '--public-url must be an https URL without a path such as https://alphapulse.example.com, not "http://a.example.com".',
    ],
    ['--private-webhooks=yes', '--private-webhooks must be true or false, not "yes".'],
    [
      '--host 0.0.0.0 --private-webhooks',
      '--private-webhooks is only for a server that no other machine can reach, on a loopback address and without a proxy.',
    ],
    [
      '--private-webhooks --behind-proxy 127.0.0.1 --public-url https://a.example.com',
      '--private-webhooks is only for a server that no other machine can reach, on a loopback address and without a proxy.',
    ],
    ['extra', 'Unexpected argument "extra"; see --help.'],
  ])('says what is wrong with %s', (args, message) => expect(() => read(args)).toThrow(new BadOption(message)));

  it.each([
    ['ALPHAPULSE_VENUE_URLS', '{'],
    ['ALPHAPULSE_VENUE_URLS', '{"binance":"ftp://x"}'],
    ['ALPHAPULSE_SYNC_SECONDS', '5,60,1'],
    ['ALPHAPULSE_SYNC_SECONDS', '0'],
    ['ALPHAPULSE_LOG_LEVEL', 'loud'],
    ['ALPHAPULSE_CORS_ORIGINS', '*'],
    ['ALPHAPULSE_SMTP_URL', 'http://x'],
  ])('names the variable that is wrong: %s=%s', (name, value) =>
    expect(() => read('', { [name]: value })).toThrow(new RegExp(`^${name} must be`)),
  );

  it('does not repeat the password of a mail server', () =>
    expect(() => read('', { ALPHAPULSE_SMTP_URL: 'user:secret@host' })).toThrow(/^[^@]*$/));
});
