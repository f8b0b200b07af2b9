import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import { createMonitor, createRandom, createSimulatedClock, NO_TIMELINE } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { createWeightBuffer } from '../link/weights.js';
import { createContributor } from './contributor.js';
import type { ProgramRunner } from './program-runner.js';
import { createReadAhead } from './read-ahead.js';
import { createRounding } from './rounding.js';

describe('what a worker contributes', () => {
  it('is copied for sockets into the same memory in each step, however short it is packed', async () => {
    const plan = samplePlan({
      parameters: [{ name: 'w', shape: [4096] }],
      gradientCompression: 'int8',
      steps: 30,
    });
    const [kernels, clock, layout] = [createKernels(), createSimulatedClock(), layoutOf(plan)];
    const round = createRounding({ plan, layout, kernels })!;
    const runner = {
      read: async (step, shard) => ({ step, shard }),
      async gradient(_weights, { step, shard }, take) {
        const random = createRandom('gradient', step);
        const block = kernels.allocate(4096);
        // As of an embedding of which few rows were looked up: groups of zeros are shorter.
        block.values.fill(0).fill(random.next(), 0, random.below(4096));
        round(step, shard)(0, block);
        take(0, block, false);
        return { shard, count: 4, lossSum: 0, metrics: {}, computeMs: 0, maxAbs: 1 };
      },
    } as Partial<ProgramRunner> as ProgramRunner;
    const lengths = new Set<number>();
    const memory = new Set<ArrayBufferLike>();
    const contributor = createContributor({
      ...{ plan, layout, kernels, runner, clock, timeline: NO_TIMELINE },
      readAhead: createReadAhead(runner, plan),
      weights: createWeightBuffer(layout),
      monitor: createMonitor({ clock }),
      send() {},
      push(_body, { payload, lent }) {
        const copy = lent!();
        assert.deepEqual(copy, payload!.slice());
        lengths.add(copy.length);
        memory.add(copy.buffer);
      },
      inOrder: (chunks) => ({ away: chunks, own: [] }),
      unhurried: () => false,
      attempt: () => '',
      reportsWith: () => false,
      traffic: () => 0,
    });
    for (let step = 0; step < plan.steps; step++) {
      contributor.recycle(step);
      await contributor.contribute(step, [0], () => false);
    }
    assert.ok(lengths.size > 10, `${lengths.size} lengths`);
    assert.equal(memory.size, 1);
  });
});
