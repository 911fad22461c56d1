import { describe, expect, it } from 'vitest';
import { type Handler, HandlerTimedOut, Invoker } from '#local/invoke';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../../support/virtual-clock.ts';

const given = (handler: Handler) => {
  const clock = new VirtualClock();
  const limits = { name: 'market-api', memoryMb: 512, timeoutSeconds: 10 };
  return { clock, invoker: new Invoker(limits, handler, { clock, ids: uuidV7Ids(clock, systemRandom) }) };
};

describe('Invoker', () => {
  it('tells the handler its name, memory and how much time it has left', async () => {
    const { clock, invoker } = given(async (_, { functionName, memoryLimitInMB, getRemainingTimeInMillis }) => {
      await clock.sleep(4_000);
      return { functionName, memoryLimitInMB, left: getRemainingTimeInMillis() };
    });
    const answer = invoker.invoke({});
    await clock.advance(4_000);
    expect(await answer).toEqual({ functionName: 'market-api', memoryLimitInMB: '512', left: 6_000 });
  });

  it('ends the wait for a handler that takes longer than it may', async () => {
    const { clock, invoker } = given(() => new Promise(() => undefined));
    const answer = expect(invoker.invoke({})).rejects.toThrow(HandlerTimedOut);
    await clock.advance(10_000);
    await answer;
  });

  it('gives every call its own time, whenever it began', async () => {
    const { clock, invoker } = given((event) => (event === 'quick' ? Promise.resolve() : new Promise(() => undefined)));
    await invoker.invoke('quick');
    await clock.advance(7_000);
    let over = false;
    const late = invoker.invoke('hanging').catch(() => {
      over = true;
    });
    await clock.advance(9_999);
    expect(over).toBe(false);
    await clock.advance(1);
    await late;
    expect(over).toBe(true);
  });

  it('fails as its handler fails', async () => {
    const { invoker } = given(async () => {
      throw new RangeError('no');
    });
    await expect(invoker.invoke({})).rejects.toThrow(RangeError);
  });
});
