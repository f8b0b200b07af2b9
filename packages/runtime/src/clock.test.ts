import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createSimulatedClock, systemClock } from './clock.js';

describe('the clock of the system', () => {
  it('calls nothing early that is further away than its timers reach', async () => {
    const called: number[] = [];
    const timers = [2 ** 31, 1e12, Number.POSITIVE_INFINITY].map((delay) =>
      systemClock.after(delay, () => called.push(delay)),
    );
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    for (const timer of timers) timer.cancel();
    assert.deepEqual(called, []);
  });
});

describe('simulated clock', () => {
  it('runs timers by due time, then by the order in which they were set', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 40 }), (delays) => {
        const clock = createSimulatedClock();
        const ran: { delay: number; order: number }[] = [];
        for (const [order, delay] of delays.entries())
          clock.after(delay, () => {
            assert.equal(clock.now(), delay);
            ran.push({ delay, order });
          });
        while (clock.step());
        const expected = delays
          .map((delay, order) => ({ delay, order }))
          .sort((a, b) => a.delay - b.delay || a.order - b.order);
        assert.deepEqual(ran, expected);
      }),
    );
  });

  it('does not run a cancelled timer, whenever it is cancelled', () => {
    const clock = createSimulatedClock();
    const ran: string[] = [];
    const second = clock.after(5, () => ran.push('second'));
    const first = clock.after(5, () => ran.push('first'));
    clock.after(1, () => second.cancel());
    clock.advance(10);
    first.cancel();
    second.cancel();
    assert.deepEqual(ran, ['first']);
    assert.equal(clock.now(), 10);
    assert.equal(clock.nextDue(), undefined);
  });
});
