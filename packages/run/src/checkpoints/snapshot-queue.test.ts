import assert from 'node:assert/strict';
import { samplePlan } from '@tutti/testing';
import type { Snapshot } from './snapshot.js';
import { createSnapshotQueue } from './snapshot-queue.js';

const snapshot = (step: number): Snapshot => ({
  ...{ job: 'j', plan: samplePlan(), step, versions: {} },
  ...{ flat: new Float32Array(1), slots: [], ranges: [1] },
});

describe('checkpoints that wait while one is written', () => {
  it('are at most one, the last: a better one is not lost, however slow the disk', async () => {
    const written: number[] = [];
    const proceed: (() => void)[] = [];
    const queue = createSnapshotQueue(
      {
        write({ step }) {
          written.push(step);
          return new Promise((resolve) => {
            proceed.push(() => resolve({ path: `step-${step}` }));
          });
        },
      },
      () => {},
    );
    for (const step of [1, 2, 3, 4]) queue.add(snapshot(step));
    assert.deepEqual(written, [1]);
    assert.equal(queue.pending(), 2);
    const idle = queue.idle();
    proceed[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(written, [1, 4]);
    assert.equal(queue.pending(), 1);
    proceed[1]!();
    await idle;
    assert.equal(queue.pending(), 0);
    await queue.idle();
  });

  it('are written even if the one before could not be', async () => {
    const tried: number[] = [];
    const queue = createSnapshotQueue(
      {
        async write({ step }) {
          tried.push(step);
          throw new Error('full');
        },
      },
      () => {},
    );
    queue.add(snapshot(1));
    queue.add(snapshot(2));
    await queue.idle();
    assert.deepEqual(tried, [1, 2]);
  });
});
