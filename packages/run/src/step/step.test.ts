import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { BLOCK_FLOATS, createLayout } from '@tutti/parameters';
import type { JobPlan, OptimizerSpec } from '@tutti/protocol';
import { samplePlan } from '@tutti/testing';
import { createStep, type ReadySum, type Step } from './step.js';

const kernels = createKernels();
const layout = createLayout([{ name: 'w', shape: [6] }], 2);
const plan = samplePlan({
  parameters: [{ name: 'w', shape: [6] }],
  trainingExamples: 10,
  batchSize: 8,
  shards: 2,
  stepsPerEpoch: 2,
  chunkFloats: 2,
});

function open(step = 0, optimizer: OptimizerSpec = plan.optimizer) {
  const tested = createStep({ step, plan: { ...plan, optimizer }, layout, kernels });
  return {
    tested,
    push: (shard: number, chunk: number, value = 1) =>
      tested.contribute(
        { type: 'contribution', step, attempt: '', lo: shard, hi: shard + 1, chunk },
        new Uint8Array(Float32Array.of(value, value).buffer),
      ),
    report: (shard: number, count = 4, maxAbs = 1) =>
      tested.report(`w${shard}`, { shard, count, lossSum: 0, metrics: {}, computeMs: 0, maxAbs }),
    ready: () => sumsOf(tested).map(({ chunk }) => chunk),
  };
}

/** All that it gives out now. */
function sumsOf(step: Step): ReadySum[] {
  const sums: ReadySum[] = [];
  step.give((ready) => sums.push(ready));
  return sums;
}

describe('step', () => {
  it('gives out each sum as soon as it is complete, before anybody has reported', () => {
    const { push, ready, tested } = open();
    push(0, 2);
    assert.deepEqual(ready(), []);
    push(1, 2, 3);
    const [given] = sumsOf(tested);
    assert.equal(given?.chunk, 2);
    assert.deepEqual([...given.sum.values], [4, 4]);
    assert.equal(given.count, 8);
    assert.deepEqual(ready(), []);
  });

  it('keeps one back until all have reported, so that nobody leaves the step before', () => {
    const { push, report, ready, tested } = open();
    for (const chunk of [0, 1, 2]) for (const shard of [0, 1]) push(shard, chunk);
    const early = ready();
    assert.equal(early.length, 2);
    assert.deepEqual(ready(), []);
    report(0);
    assert.deepEqual(ready(), []);
    report(1);
    const rest = ready();
    assert.deepEqual([...early, ...rest].sort(), [0, 1, 2]);
    for (const chunk of [0, 1, 2]) tested.applied(chunk);
    assert.equal(tested.done(), true);
  });

  it('is not done before all have reported, even where every chunk is applied', () => {
    const { report, tested } = open();
    for (const chunk of [0, 1, 2]) tested.applied(chunk);
    assert.equal(tested.done(), false);
    assert.deepEqual(tested.missing(), [0, 1]);
    assert.deepEqual([0, 1].filter(tested.isMissing), [0, 1]);
    report(0);
    report(1);
    assert.equal(tested.done(), true);
  });

  it('lacks what was not reported, and what was but did not come', () => {
    const { push, report, tested } = open();
    const shards = () => {
      assert.deepEqual([0, 1].filter(tested.isMissing), tested.missing());
      return tested.missing();
    };
    for (const chunk of [0, 1, 2]) push(0, chunk);
    report(1);
    assert.deepEqual(shards(), [0, 1]);
    report(0);
    assert.deepEqual(shards(), [1]);
    for (const chunk of [0, 1, 2]) push(1, chunk);
    assert.deepEqual(shards(), []);
  });

  it('fails where squares of the gradient overflow, before a step is whole, if the optimizer squares it', () => {
    const reported = (optimizer: OptimizerSpec) => {
      const { push, report, tested } = open(0, optimizer);
      for (const chunk of [0, 1, 2]) for (const shard of [0, 1]) push(shard, chunk);
      report(0, 4, 1e20);
      report(1);
      return () => sumsOf(tested);
    };
    const [adam, sgd] = [
      { name: 'adam', learningRate: 1 },
      { name: 'sgd', learningRate: 1 },
    ] as const;
    assert.throws(reported(adam), {
      code: 'NOT_FINITE',
      message:
        /^Squares of the gradient of step 0 could .* adam would not .*: shard 0 on worker w0 has elements up to 1/,
      remedy: /^Scale the data/,
    });
    for (const optimizer of [sgd, { ...adam, clipNorm: 1 }, { ...adam, clipValue: 1 }])
      assert.equal(reported(optimizer)().length, 3);
  });

  it('gives out nothing early when clipping by global norm', () => {
    const { push, report, ready } = open(0, { name: 'sgd', learningRate: 1, clipNorm: 1 });
    for (const chunk of [0, 1]) for (const shard of [0, 1]) push(shard, chunk);
    for (const shard of [0, 1]) report(shard);
    assert.deepEqual(ready(), []);
    for (const shard of [0, 1]) push(shard, 2);
    assert.deepEqual(ready(), [0, 1, 2]);
  });

  it('keeps a sum that overflows, and names who is to blame once that is known', () => {
    const { push, report, ready } = open();
    for (const shard of [0, 1]) push(shard, 1, 3e38);
    assert.deepEqual(ready(), []);
    report(0, 4, 3e38);
    assert.deepEqual(ready(), []);
    report(1, 4, 3e38);
    assert.throws(ready, { code: 'NOT_FINITE', message: /shard [01] on worker w[01]/ });
  });

  it('that servers have applied by themselves fails where a sum could overflow', () => {
    const { report, tested } = open();
    for (const chunk of [0, 1, 2]) tested.applied(chunk);
    for (const shard of [0, 1]) report(shard, 4, 3e38);
    assert.throws(() => tested.done(), { code: 'NOT_FINITE' });
  });

  it('counts the examples of the last step of an epoch, and holds the workers to it', () => {
    const { push, report, ready, tested } = open(1);
    for (const shard of [0, 1]) push(shard, 0);
    assert.equal(sumsOf(tested)[0]?.count, 2);
    for (const shard of [0, 1]) report(shard, 4);
    push(0, 1);
    push(1, 1);
    assert.throws(ready, { code: 'INTERNAL', message: /8 examples .* has 2/ });
  });
});

const CHUNKS = 5;
const long = createLayout([{ name: 'w', shape: [4 * CHUNKS] }], 4);

const planOf = (clipNorm?: number): JobPlan => ({
  ...plan,
  optimizer: { ...plan.optimizer, ...(clipNorm === undefined ? {} : { clipNorm }) },
  parameters: [{ name: 'w', shape: [4 * CHUNKS] }],
  batchSize: 5,
  shards: 1,
});

/** A step whose only shard has reported and sent everything. */
function fullStep(clipNorm?: number, layout = long, valueAt = (_: number) => 1) {
  const step = createStep({ step: 0, plan: planOf(clipNorm), layout, kernels });
  const sums = { count: 5, lossSum: 1, metrics: {}, computeMs: 1, maxAbs: 1 };
  step.report('w0', { shard: 0, ...sums });
  for (let chunk = 0; chunk < layout.chunks; chunk++) {
    const first = chunk * layout.chunkFloats;
    const values = Float32Array.from({ length: layout.chunkLength(chunk) }, (_, at) =>
      valueAt(first + at),
    );
    const node = { type: 'contribution', step: 0, attempt: '', lo: 0, hi: 1, chunk } as const;
    step.contribute(node, new Uint8Array(values.buffer));
  }
  return step;
}

describe('the sums of a step', () => {
  it('have the same norm however large the chunks are', () => {
    const floats = 5 * BLOCK_FLOATS + 77;
    const scales = [1, 2, 3, 4].map((blocks) => {
      const layout = createLayout([{ name: 'w', shape: [floats] }], blocks * BLOCK_FLOATS);
      const step = fullStep(0.5, layout, (at) => Math.sin(at) / (1 + (at % 1000)));
      const [first] = sumsOf(step);
      return first!.scale;
    });
    assert.equal(new Set(scales).size, 1);
  });

  for (const clipNorm of [undefined, 0.5])
    it(`are given out only as they are wanted, each once, all by one factor (clipNorm ${clipNorm})`, () => {
      const whole = sumsOf(fullStep(clipNorm)).map(({ chunk, scale }) => [chunk, scale]);
      const step = fullStep(clipNorm);
      const given: [number, number][] = [];
      let room = 0;
      // Asked lazily: what was given out counts before the next is asked for.
      while (given.length < CHUNKS) {
        room = 2;
        const before = given.length;
        step.give(
          ({ chunk, scale }) => {
            room--;
            given.push([chunk, scale]);
          },
          () => room > 0,
        );
        assert.ok(given.length > before && given.length <= before + 2);
        // Its memory is given back: the factor must not be taken anew from what is left.
        for (const [chunk] of given) step.applied(chunk);
      }
      assert.deepEqual(given, whole);
      assert.ok(clipNorm === undefined || whole[0]![1]! < 1);
      assert.ok(step.done());
    });
});
