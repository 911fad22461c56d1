import { describe, expect, it } from 'vitest';
import { pushFollows } from '#functions/stream/push.kinds';
import { audienceKey } from '#shared/connections/channel';
import { Connections } from '#shared/connections/connections';
import { Subscriptions } from '#shared/connections/subscriptions';
import type { UserId } from '#shared/model/user-id';
import { Feeds } from '#shared/realtime/feeds';
import { testPlatform } from '../../support/test-platform.ts';

const [ada, bob] = ['ada' as UserId, 'bob' as UserId];

const given = (): Feeds => {
  const { platform } = testPlatform();
  const connections = new Connections(platform);
  return new Feeds({ ...platform, connections, subscriptions: new Subscriptions(platform, connections) });
};
const audienceOf = (name: string, userId: UserId): string | undefined => {
  const fed = given().parse(name, userId);
  return fed && audienceKey(fed.channel);
};

describe('the stream consumer', () => {
  it('follows exactly the kinds of items that feeds react to', () => {
    const kinds = given().all.flatMap(({ updates }) => updates.map(({ kind }) => kind));
    expect(new Set(kinds)).toEqual(new Set(pushFollows.map(({ kind }) => kind)));
  });
});

describe('the audience of a channel', () => {
  it('of prices is everybody', () => {
    const name = 'prices:sim:BTC/USDT';
    expect(audienceOf(name, ada)).toBe('AUDIENCE#prices:sim:BTC/USDT');
    expect(audienceOf(name, bob)).toBe(audienceOf(name, ada));
  });

  it('of what belongs to a user is that user', () => {
    expect([audienceOf('alerts', ada), audienceOf('alerts', bob)]).toEqual([
      'AUDIENCE#alerts#ada',
      'AUDIENCE#alerts#bob',
    ]);
  });

  it.each(['portfolio', 'alerts#bob', 'alerts:bob', 'ALERTS', 'prices:sim:BTC/USDT#bob', 'prices:', ''])(
    'of no feed is nobody: %j',
    (name) => {
      expect(audienceOf(name, ada)).toBeUndefined();
    },
  );
});
