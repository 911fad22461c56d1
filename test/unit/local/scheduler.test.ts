import { describe, expect, it } from 'vitest';
import { Scheduler } from '#local/scheduler';
import { localLogger } from '#local/telemetry';
import { VirtualClock } from '../../support/virtual-clock.ts';

const given = () => {
  const clock = new VirtualClock();
  return { clock, scheduler: new Scheduler(clock, localLogger('SILENT')) };
};

describe('Scheduler', () => {
  it('runs a task at once and then at its period, also below a second', async () => {
    const { clock, scheduler } = given();
    let runs = 0;
    scheduler.every(50, 'sync', async () => runs++);
    await clock.advance(1_000);
    expect(runs).toBe(21);
  });

  it('never runs a task while it still runs, and keeps to its beat afterwards', async () => {
    const { clock, scheduler } = given();
    const startedAt: number[] = [];
    const start = clock.now();
    scheduler.every(1_000, 'slow', async () => {
      startedAt.push(clock.now() - start);
      await clock.sleep(1_500);
    });
    await clock.advance(5_000);
    expect(startedAt).toEqual([0, 2_000, 4_000]);
  });

  it('runs a task again after it failed', async () => {
    const { clock, scheduler } = given();
    let runs = 0;
    scheduler.every(1_000, 'failing', async () => {
      runs++;
      throw new Error('no');
    });
    await clock.advance(2_000);
    expect(runs).toBe(3);
  });

  it('waits for the run in hand when it stops, and runs nothing any more', async () => {
    const { clock, scheduler } = given();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let runs = 0;
    scheduler.every(1_000, 'task', async () => {
      runs++;
      await released;
    });
    const stopped = scheduler.stop();
    release();
    await stopped;
    await clock.advance(10_000);
    expect(runs).toBe(1);
  });
});
