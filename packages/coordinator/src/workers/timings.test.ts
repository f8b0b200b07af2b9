import assert from 'node:assert/strict';
import { createWorkerTimings } from './timings.js';

describe('the timings of the workers', () => {
  it('is known after three micro-batches, and forgives outliers', () => {
    const timings = createWorkerTimings();
    for (const ms of [10, 900]) timings.measured('w0', 'gradient', ms);
    assert.equal(timings.speed('w0'), undefined);
    timings.measured('w0', 'gradient', 10);
    assert.equal(timings.speed('w0'), 1 / 10);
  });

  it('follows a worker that becomes slower', () => {
    const timings = createWorkerTimings();
    for (let i = 0; i < 50; i++) timings.measured('w0', 'gradient', 10);
    for (let i = 0; i < 4; i++) timings.measured('w0', 'gradient', 50);
    assert.equal(timings.speed('w0'), 1 / 50);
  });

  it('is, of a worker that is slow by nature, its own', () => {
    const timings = createWorkerTimings();
    for (const worker of ['w0', 'w1', 'w2']) timings.measured(worker, 'gradient', 10);
    timings.measured('w3', 'gradient', 500);
    assert.equal(timings.usualMs('w0', 'gradient'), 10);
    assert.equal(timings.usualMs('w3', 'gradient'), 500);
    assert.equal(timings.usualMs('w4', 'gradient'), 10);
    assert.equal(timings.usualMs('w0', 'evaluation'), undefined);
  });

  it('is slow, compared with that of most', () => {
    const timings = createWorkerTimings();
    for (const [worker, ms] of [
      ['w0', 10],
      ['w1', 14],
      ['w2', 16],
    ] as const)
      timings.measured(worker, 'gradient', ms);
    for (let i = 0; i < 3; i++) assert.equal(timings.isSlow(`w${i}`), false);
    timings.measured('w1', 'gradient', 10);
    assert.deepEqual(['w0', 'w1', 'w2', 'w3'].filter(timings.isSlow), ['w2']);
  });

  it('is not known of work that takes no time, which is work all the same', () => {
    const timings = createWorkerTimings();
    for (let i = 0; i < 3; i++) timings.measured('w0', 'gradient', 0);
    assert.equal(timings.speed('w0'), undefined);
    assert.equal(timings.usualMs('w1', 'gradient'), 0);
  });

  it('is forgotten of who is gone', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 3);
    timings.gone('w0');
    assert.equal(timings.usualMs('w0', 'gradient'), undefined);
  });
});
