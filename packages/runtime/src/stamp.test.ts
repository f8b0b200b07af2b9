import assert from 'node:assert/strict';
import { createSimulatedClock } from './clock.js';
import { createStamp } from './stamp.js';

describe('the stamp of events', () => {
  it('adds the time, and the job as soon as an event has named it', () => {
    const clock = createSimulatedClock(100);
    const stamp = createStamp(clock);
    assert.deepEqual(stamp({ event: 'waiting' }), { event: 'waiting', at: 100, job: null });
    clock.advance(5);
    assert.deepEqual(stamp({ event: 'started', job: 'j1' }), {
      event: 'started',
      at: 105,
      job: 'j1',
    });
    assert.deepEqual(stamp({ event: 'step' }), { event: 'step', at: 105, job: 'j1' });
  });

  it('leaves what has been stamped elsewhere as it is', () => {
    const told = { event: 'step', at: 7, job: 'other' };
    assert.deepEqual(createStamp(createSimulatedClock())(told), told);
  });
});
