import assert from 'node:assert/strict';
import { createPace } from './timings.js';

describe('the pace of the workers', () => {
  it('is known after three micro-batches, and forgives outliers', () => {
    const pace = createPace();
    for (const ms of [10, 900]) pace.measured('w0', 'gradient', ms);
    assert.equal(pace.speed('w0'), undefined);
    pace.measured('w0', 'gradient', 10);
    assert.equal(pace.speed('w0'), 1 / 10);
  });

  it('follows a worker that becomes slower', () => {
    const pace = createPace();
    for (let i = 0; i < 50; i++) pace.measured('w0', 'gradient', 10);
    for (let i = 0; i < 4; i++) pace.measured('w0', 'gradient', 50);
    assert.equal(pace.speed('w0'), 1 / 50);
  });

  it('is, of a worker that is slow by nature, its own', () => {
    const pace = createPace();
    for (const worker of ['w0', 'w1', 'w2']) pace.measured(worker, 'gradient', 10);
    pace.measured('w3', 'gradient', 500);
    assert.equal(pace.usualMs('w0', 'gradient'), 10);
    assert.equal(pace.usualMs('w3', 'gradient'), 500);
    assert.equal(pace.usualMs('w4', 'gradient'), 10);
    assert.equal(pace.usualMs('w0', 'evaluation'), undefined);
  });

  it('is slow, compared with that of most', () => {
    const pace = createPace();
    for (const [worker, ms] of [
      ['w0', 10],
      ['w1', 14],
      ['w2', 16],
    ] as const)
      pace.measured(worker, 'gradient', ms);
    for (let i = 0; i < 3; i++) assert.equal(pace.isSlow(`w${i}`), false);
    pace.measured('w1', 'gradient', 10);
    assert.deepEqual(['w0', 'w1', 'w2', 'w3'].filter(pace.isSlow), ['w2']);
  });

  it('is not known of work that takes no time, which is work all the same', () => {
    const pace = createPace();
    for (let i = 0; i < 3; i++) pace.measured('w0', 'gradient', 0);
    assert.equal(pace.speed('w0'), undefined);
    assert.equal(pace.usualMs('w1', 'gradient'), 0);
  });

  it('is forgotten of who is gone', () => {
    const pace = createPace();
    pace.measured('w0', 'gradient', 3);
    pace.gone('w0');
    assert.equal(pace.usualMs('w0', 'gradient'), undefined);
  });
});
