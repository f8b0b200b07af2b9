import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import { createStep } from './step.js';

const CHUNKS = 5;
const kernels = createKernels();
const layout = createLayout([{ name: 'w', shape: [4 * CHUNKS] }], 4);

function planOf(clipNorm?: number): JobPlan {
  return {
    programName: 'p',
    programHash: 'h',
    parameters: [{ name: 'w', shape: [4 * CHUNKS] }],
    trainingExamples: 10,
    evaluationExamples: 0,
    evaluationBatchSize: 1,
    batchSize: 5,
    shards: 1,
    seed: 1,
    steps: 2,
    stepsPerEpoch: 2,
    optimizer: { name: 'sgd', learningRate: 0.1, ...(clipNorm === undefined ? {} : { clipNorm }) },
  };
}

/** A step whose only shard has reported and sent everything. */
function fullStep(clipNorm?: number) {
  const step = createStep({ step: 0, plan: planOf(clipNorm), layout, kernels });
  const sums = { count: 5, lossSum: 1, metrics: {}, computeMs: 1, maxAbs: 1 };
  step.report('w0', { shard: 0, ...sums });
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const values = new Float32Array(4).fill(1);
    const node = { type: 'contribution', step: 0, lo: 0, hi: 1, chunk } as const;
    step.contribute(node, new Uint8Array(values.buffer));
  }
  return step;
}

describe('the sums of a step', () => {
  for (const clipNorm of [undefined, 0.5])
    it(`are given out only as they are wanted, each once, all by one factor (clipNorm ${clipNorm})`, () => {
      const whole = [...fullStep(clipNorm).ready()].map(({ chunk, scale }) => [chunk, scale]);
      const step = fullStep(clipNorm);
      const given: [number, number][] = [];
      let room = 0;
      // Asked lazily: what was given out counts before the next is asked for.
      while (given.length < CHUNKS) {
        room = 2;
        const before = given.length;
        for (const { chunk, scale } of step.ready(() => room > 0)) {
          room--;
          given.push([chunk, scale]);
        }
        assert.ok(given.length > before && given.length <= before + 2);
        // Its memory is given back: the factor must not be taken anew from what is left.
        for (const [chunk] of given) step.applied(chunk);
      }
      assert.deepEqual(given, whole);
      assert.ok(clipNorm === undefined || whole[0]![1]! < 1);
      assert.ok(step.done);
    });
});
