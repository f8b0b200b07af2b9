import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createStrangers } from './strangers.js';

const init = { address: 'tcp://a:1', keyed: true };

describe('strangers', () => {
  it('are told of at once, and a flood of them once a minute', () => {
    const clock = createSimulatedClock();
    const told: string[] = [];
    const seen = createStrangers({ ...init, clock }, (reason) => told.push(reason));
    const first = 'somebody who does not speak the protocol of ZeroMQ connected to tcp://a:1';
    seen({ what: 'protocol error', by: 'protocol' });
    for (let i = 0; i < 119; i++) {
      clock.advance(1000);
      seen({ what: 'it hung up', by: 'protocol' });
    }
    assert.deepEqual(told, [
      `${first} (protocol error)`,
      `${first} (it hung up), and 59 others before it`,
    ]);
  });

  it('are told of apart from those who have another key, or were gone before anybody knew', () => {
    const told: string[] = [];
    const clock = createSimulatedClock();
    const seen = createStrangers({ ...init, clock }, (reason) => told.push(reason));
    for (let i = 0; i < 2; i++) {
      seen({ what: 'it said GET', by: 'protocol' });
      seen({ what: 'it has another key', by: 'key' });
      seen({ what: 'it hung up', by: 'unfinished' });
    }
    assert.equal(told.length, 3);
    assert.match(told[1]!, /^somebody who does not have the key of this job .*another key/);
    assert.match(told[2]!, /^somebody who has not shown the key of this job .*hung up/);
  });
});
