import assert from 'node:assert/strict';
import { createKernels, GROUP } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import type { GradientCompression } from '@tutti/protocol';
import { samplePlan } from '@tutti/testing';
import { createRounding } from './rounding.js';

describe('the rounding of gradients', () => {
  const kernels = createKernels();
  const layout = createLayout([
    { name: 'kernel', shape: [2 * GROUP + 10] },
    { name: 'moments', shape: [20], update: 'average' },
    { name: 'bias', shape: [GROUP] },
  ]);
  const gradient = Float32Array.from({ length: layout.floats }, (_, i) => Math.sin(i + 1));
  const rounded = (to: GradientCompression, step = 3, shard = 1, seed = 1): number[] => {
    const plan = { ...samplePlan(), seed, gradientCompression: to };
    const block = kernels.allocate(layout.floats);
    block.values.set(gradient);
    createRounding({ plan, layout, kernels })!(step, shard)(0, block);
    const values = [...block.values];
    kernels.free(block);
    return values;
  };

  it('leaves whole what shares a group with moments that are averaged', () => {
    for (const to of ['bf16', 'fp16', 'int8'] as const) {
      const changed = rounded(to).map((value, i) => value !== gradient[i]);
      const within = (from: number, end: number) => changed.slice(from, end).filter(Boolean).length;
      assert.equal(within(2 * GROUP, 3 * GROUP), 0);
      assert.ok(within(0, 2 * GROUP) > GROUP);
      assert.ok(within(3 * GROUP, layout.floats) > 0);
    }
  });

  it('takes its chances from seed, step and shard, and from nothing else', () => {
    const once = rounded('int8');
    assert.deepEqual(rounded('int8'), once);
    for (const other of [rounded('int8', 4), rounded('int8', 3, 2), rounded('int8', 3, 1, 2)])
      assert.notDeepEqual(other, once);
  });

  it('is none where the plan says nothing of it', () => {
    assert.equal(createRounding({ plan: samplePlan(), layout, kernels }), undefined);
  });
});
