import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createStrangers } from './strangers.js';

describe('strangers', () => {
  it('are told of at once, and a flood of them once a minute', () => {
    const clock = createSimulatedClock();
    const told: string[] = [];
    const seen = createStrangers('tcp://a:1', clock, (reason) => told.push(reason));
    const first = 'somebody who does not speak the protocol of ZeroMQ connected to tcp://a:1';
    seen('protocol error');
    for (let i = 0; i < 119; i++) {
      clock.advance(1000);
      seen('it hung up');
    }
    assert.deepEqual(told, [
      `${first} (protocol error)`,
      `${first} (it hung up), and 59 others before it`,
    ]);
  });
});
