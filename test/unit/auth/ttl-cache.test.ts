import { describe, expect, it } from 'vitest';
import { TtlCache } from '#shared/auth/ttl-cache';
import { instantClock } from '../../support/instant-clock.ts';

const given = () => {
  const clock = instantClock(0);
  return { clock, cache: new TtlCache<string>(clock) };
};

describe('a cached value', () => {
  it('is there until its time, and not a millisecond longer', () => {
    const { clock, cache } = given();
    cache.set('key', 'value', 100);
    clock.advance(99);
    expect(cache.get('key')).toBe('value');
    clock.advance(1);
    expect(cache.get('key')).toBeUndefined();
  });

  it('that ends now is never served', () => {
    const { clock, cache } = given();
    cache.set('key', 'value', clock.now());
    expect(cache.get('key')).toBeUndefined();
  });

  it('is replaced by a later one', () => {
    const { cache } = given();
    cache.set('key', 'old', 100);
    cache.set('key', 'new', 200);
    expect(cache.get('key')).toBe('new');
  });

  it('is one of few: the oldest makes room', () => {
    const { cache } = given();
    cache.set('first', 'value', 100);
    cache.set('renewed', 'value', 100);
    for (let index = 0; index < 1998; index++) cache.set(`${index}`, 'value', 100);
    cache.set('renewed', 'value', 100);
    cache.set('last', 'value', 100);
    cache.set('one more', 'value', 100);
    expect(['first', '0', 'renewed', 'last'].map((key) => cache.get(key))).toEqual([
      undefined,
      undefined,
      'value',
      'value',
    ]);
  });
});
