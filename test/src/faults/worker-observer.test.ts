import assert from 'node:assert/strict';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

describe('who observes the workers of a job', () => {
  it('is told of each that joins or is lost, and of none that says goodbye', async () => {
    const told: string[] = [];
    let ticks = 0;
    await simulate({
      program: regression({ epochs: 3 }),
      workers: 3,
      minWorkers: 1,
      seed: 5,
      workerObserver: {
        joined: (worker) => void told.push(`joined ${worker}`),
        lost: (worker, reason) => void told.push(`lost ${worker}: ${reason}`),
        started: () => void told.push('started'),
        ended: () => void told.push('ended'),
        starting: () => false,
      },
      disturb(network, _clock, _join, crew) {
        ticks++;
        if (ticks === 80) void crew[1]!.leave();
        if (ticks === 120) network.crash('worker-2');
      },
    });
    assert.deepEqual(told.slice(0, 3).sort(), ['joined w0', 'joined w1', 'joined w2']);
    assert.equal(told[3], 'started');
    assert.equal(told.length, 6);
    assert.match(told[4]!, /^lost w2: ./);
    assert.equal(told[5], 'ended');
  });
});
