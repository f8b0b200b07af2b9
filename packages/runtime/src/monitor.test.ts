import assert from 'node:assert/strict';
import { createSimulatedClock } from './clock.js';
import { createMonitor, type WaitReport } from './monitor.js';

const wait = { who: 'worker w3', what: 'join', remedy: 'Start it.' };

describe('monitor', () => {
  it('resolves as soon as the condition holds', async () => {
    const monitor = createMonitor({ clock: createSimulatedClock() });
    let ready = false;
    const waiting = monitor.until(() => ready, wait);
    ready = true;
    monitor.notify();
    await waiting;
  });

  it('reports silence every 10 s, and ends it at the deadline naming who, what and how long', async () => {
    const clock = createSimulatedClock();
    const reports: WaitReport[] = [];
    const monitor = createMonitor({ clock, onWaiting: (report) => reports.push(report) });
    const waiting = monitor.until(() => false, { ...wait, deadlineMs: 25_000 });
    waiting.catch(() => {});
    clock.advance(30_000);
    await assert.rejects(waiting, {
      code: 'DEADLINE',
      message: 'Waited 25.0 s for worker w3 to join',
      remedy: 'Start it.',
    });
    assert.deepEqual(
      reports.map(({ sinceMs }) => sinceMs),
      [10_000, 20_000],
    );
    assert.equal(clock.nextDue(), undefined);
  });

  it('ends every wait with the first failure, also those that come later', async () => {
    const monitor = createMonitor({ clock: createSimulatedClock() });
    const waiting = monitor.until(() => false, wait);
    monitor.fail(new Error('first'));
    monitor.fail(new Error('second'));
    await assert.rejects(waiting, /first/);
    await assert.rejects(
      monitor.until(() => true, wait),
      /first/,
    );
  });

  it('does not wait for a promise of somebody else once it has failed', async () => {
    const monitor = createMonitor({ clock: createSimulatedClock() });
    assert.equal(await monitor.race(Promise.resolve(3), wait), 3);
    await assert.rejects(monitor.race(Promise.reject(new Error('theirs')), wait), /theirs/);
    const waiting = monitor.race(new Promise(() => {}), wait);
    monitor.fail(new Error('enough'));
    await assert.rejects(waiting, /enough/);
  });

  it('reports the silence of a promise too', async () => {
    const clock = createSimulatedClock();
    const reports: WaitReport[] = [];
    const monitor = createMonitor({ clock, onWaiting: (report) => reports.push(report) });
    const waiting = monitor.race(new Promise(() => {}), { ...wait, deadlineMs: 12_000 });
    waiting.catch(() => {});
    clock.advance(12_000);
    await assert.rejects(waiting, { code: 'DEADLINE' });
    assert.deepEqual(reports, [{ ...wait, deadlineMs: 12_000, sinceMs: 10_000 }]);
  });

  it('counts silence from the last sign of life, where somebody gives one', async () => {
    const clock = createSimulatedClock();
    const reports: number[] = [];
    let heardAt = 0;
    const monitor = createMonitor({
      clock,
      onWaiting: ({ sinceMs }) => reports.push(clock.now(), sinceMs),
    });
    const waiting = monitor.until(
      () => false,
      () => ({ ...wait, heardAt }),
    );
    waiting.catch(() => {});
    for (let at = 1; at <= 5; at++) {
      clock.advance(7_000);
      heardAt = clock.now();
    }
    assert.deepEqual(reports, []);
    clock.advance(25_000);
    assert.deepEqual(reports, [45_000, 10_000, 55_000, 20_000]);
    monitor.fail(new Error('enough'));
    await assert.rejects(waiting, /enough/);
  });

  it('tells what is waited for now, and since when', async () => {
    const clock = createSimulatedClock();
    const monitor = createMonitor({ clock });
    assert.deepEqual(monitor.waits(), []);
    const first = monitor.until(() => false, wait);
    clock.advance(3000);
    const second = monitor.race(new Promise(() => {}), { ...wait, who: 'the disk' });
    clock.advance(1000);
    assert.deepEqual(monitor.waits(), [
      { ...wait, sinceMs: 4000 },
      { ...wait, who: 'the disk', sinceMs: 1000 },
    ]);
    monitor.fail(new Error('enough'));
    await Promise.allSettled([first, second]);
    assert.deepEqual(monitor.waits(), []);
  });

  it('ends with ABORTED when its signal is aborted', async () => {
    const stopping = new AbortController();
    const monitor = createMonitor({ clock: createSimulatedClock(), signal: stopping.signal });
    const waiting = monitor.until(() => false, wait);
    stopping.abort();
    await assert.rejects(waiting, { code: 'ABORTED' });
  });
});
