import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createSimulatedClock } from './clock.js';

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
