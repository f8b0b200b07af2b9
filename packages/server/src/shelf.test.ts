import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import type { Body, JobPlan } from '@tutti/protocol';
import { createShelf } from './shelf.js';

const plan: JobPlan = {
  programName: 'p',
  programHash: '',
  parameters: [{ name: 'w', shape: [2] }],
  trainingExamples: 4,
  evaluationExamples: 0,
  evaluationBatchSize: 4,
  batchSize: 4,
  shards: 1,
  seed: 1,
  steps: 9,
  stepsPerEpoch: 1,
  optimizer: { name: 'sgd', learningRate: 1 },
};
const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const floats = (payload: Uint8Array) => [...new Float32Array(payload.slice().buffer)];

function open() {
  const sent: [peer: string, body: Body, values: number[]][] = [];
  const shelf = createShelf({
    plan,
    firstChunk: 0,
    chunks: 1,
    kernels: createKernels(),
    send: (peer, body, payload) => sent.push([peer, body, floats(payload!)]),
  });
  const apply = (step: number, ...sum: number[]) =>
    shelf.apply({ type: 'apply', step, chunk: 0, count: 2, scale: 1 }, bytes(...sum));
  return { shelf, sent, apply };
}

describe('shelf', () => {
  it('sends a version as soon as it has it, to whoever asked for it', () => {
    const { shelf, sent, apply } = open();
    shelf.pull('a', 0);
    assert.deepEqual(sent, []);
    shelf.store(0, bytes(1, 2));
    shelf.pull('a', 1);
    shelf.pull('b', 0);
    apply(0, 2, 4);
    assert.deepEqual(sent, [
      ['a', { type: 'weights', version: 0, chunk: 0 }, [1, 2]],
      ['b', { type: 'weights', version: 0, chunk: 0 }, [1, 2]],
      ['a', { type: 'weights', version: 1, chunk: 0 }, [0, 0]],
    ]);
  });

  it('applies a step once, and keeps the version before for who is late', () => {
    const { shelf, sent, apply } = open();
    shelf.store(0, bytes(1, 2));
    apply(0, 2, 2);
    apply(0, 2, 2);
    shelf.store(0, bytes(9, 9));
    assert.deepEqual(shelf.versions(), [1]);
    shelf.pull('late', 0);
    shelf.pull('now', 1);
    assert.deepEqual(
      sent.map(([, , values]) => values),
      [
        [1, 2],
        [0, 1],
      ],
    );
  });

  it('refuses a version that is gone, with both', () => {
    const { shelf, apply } = open();
    shelf.store(0, bytes(1, 2));
    apply(0, 0, 0);
    apply(1, 0, 0);
    assert.throws(() => shelf.pull('late', 0), /Version 0 of chunk 0 .* at version 2/);
  });
});
