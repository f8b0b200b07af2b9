import assert from 'node:assert/strict';
import { arrays } from '@tutti/data';
import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import { systemClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import type { Computation, GradientResult } from '../program/program.js';
import { createProgramRunner } from './program-runner.js';

const plan = samplePlan({ evaluationExamples: 3, evaluationBatchSize: 1 });
const layout = layoutOf(plan);
const weights = { w: new Float32Array(2) };
const result = { lossSum: 0, metrics: {}, count: 4 };

/** A runner of a program that tells what it does, and puts off something to the end of the turn each time. */
function open(gradientOf: Computation['gradient'] = () => ({ ...result, gradient: weights })) {
  const told: string[] = [];
  const putOff = () => void setImmediate(() => told.push('sent'));
  const begin = <T>(what: string, result: T): T => {
    told.push(what);
    putOff();
    return result;
  };
  const data = arrays({ x: { data: Float32Array.from([1, 2, 3, 4]), shape: [4] } });
  const computation: Computation = {
    parameters: plan.parameters,
    initialize: () => begin('initialize', weights),
    gradient: (...given) => begin('gradient', gradientOf(...given)),
    evaluate: () => begin('evaluate', { ...result, count: 1 }),
  };
  const kernels = createKernels();
  const runner = createProgramRunner({
    ...{ plan, layout, computation, kernels, clock: systemClock, worker: 'w0' },
    data: { training: data, evaluation: data },
  });
  return { told, putOff, runner };
}

describe('the runner of a program', () => {
  it('lets messages that are sent together go before it holds up the thread', async () => {
    const { told, putOff, runner } = open();
    putOff();
    await runner.initialize();
    const microBatch = await runner.read(0, 0);
    await runner.gradient(weights, microBatch, (_, block) => block.bytes);
    await runner.gradient(weights, microBatch, (_, block) => block.bytes);
    assert.deepEqual(told, ['sent', 'initialize', 'sent', 'gradient', 'sent', 'gradient']);
  });

  it('lets signs of life go between the batches of an evaluation, whose data are in memory', async () => {
    const { told, runner } = open();
    await runner.evaluate(weights, 1, 0);
    assert.deepEqual(told, ['evaluate', 'sent', 'evaluate', 'sent', 'evaluate']);
  });

  for (const [returned, message] of [
    [undefined, 'returned undefined'],
    [{ ...result, gradient: weights, metrics: null }, 'returned metrics null'],
    [{ ...result, gradient: weights, count: 4n }, 'returned count 4n for 4 examples'],
  ] as const)
    it(`refuses a gradient that ${message}`, async () => {
      const { runner } = open(() => returned as unknown as GradientResult);
      const microBatch = await runner.read(0, 0);
      await assert.rejects(
        runner.gradient(weights, microBatch, () => {}),
        {
          code: 'PROGRAM_FAILED',
          message: `gradient() ${message} at step 0, shard 0, epoch 0 on worker w0`,
        },
      );
    });

  for (const [last, taken] of [
    [undefined, 'early'],
    [false, 'early'],
    [true, 'with the rest'],
  ] as const)
    it(`takes a gradient that is told with last = ${last} ${taken}`, async () => {
      const { runner } = open((_, __, known) => {
        known!('w', Float32Array.of(1, 2), last);
        return { ...result, gradient: {} };
      });
      const chunks: [number[], boolean][] = [];
      await runner.gradient(weights, await runner.read(0, 0), (_, { values }, early) =>
        chunks.push([[...values], early]),
      );
      assert.deepEqual(chunks, [[[1, 2], taken === 'early']]);
    });
});
