import assert from 'node:assert/strict';
import { hashed, lowRank } from '@tutti/parameters';
import { assertFiniteDifferences, classified, gradient, open, training } from '../testing.js';
import { tf } from '../tf.js';
import { defineTraining } from '../training/training.js';
import type { FunctionContext } from './function-model.js';

const batch = classified(8, [4], 3);

const program = defineTraining({
  model: {
    parameters: { kernel: [4, 3], bias: [3], seen: { shape: [4], update: 'average' } },
    initialize: () => ({ kernel: tf.randomNormal([4, 3]), bias: [0, 0, 0], seen: tf.zeros([4]) }),
    apply({ kernel, bias, seen }, { x }, context) {
      context.update('seen', seen.mul(0.5).add(x!.mean(0).mul(0.5)));
      return x!.matMul(kernel).add(bias);
    },
  },
  loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
  metrics: ['accuracy', meanMargin],
  data: () => assert.fail(),
  optimizer: { name: 'sgd', learningRate: 0.1 },
  batchSize: 8,
  epochs: 1,
  seed: 1,
});

function meanMargin(_yTrue: tf.Tensor, yPred: tf.Tensor): tf.Tensor {
  return yPred.max(-1).sub(yPred.min(-1));
}

describe('a function over named parameters', () => {
  it('has gradients that agree with finite differences', async () => {
    const computation = await program.open();
    const weights = await computation.initialize(2);
    assert.deepEqual(await computation.initialize(2), weights);
    assert.notDeepEqual(await computation.initialize(3), weights);
    await assertFiniteDifferences(computation, weights, batch);
  });

  it('moves its averages, in training only', async () => {
    const computation = await program.open();
    const weights = await computation.initialize(2);
    const { gradient: sum, metrics } = await gradient(computation, weights, batch);
    const x = batch.x!.data as Float32Array;
    sum.seen!.forEach((value, column) => {
      const mean = x.reduce((total, each, i) => total + (i % 4 === column ? each : 0), 0) / 8;
      assert.ok(Math.abs(value - (0.5 * mean - 0) * 8) < 1e-5);
    });
    assert.ok(metrics!.meanMargin! > 0);
    const before = tf.memory().numTensors;
    await computation.evaluate(weights, batch);
    assert.equal(tf.memory().numTensors, before);
  });

  it('looks up rows and applies factors without the whole of a shared matrix, to the same effect', async () => {
    const ids = { data: Int32Array.of(1, 0, 5, 5, 2, 3, 1, 4), shape: [8, 1] };
    const words = { x: ids, y: { data: Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1), shape: [8] } };
    const opened = async (roles: boolean) => {
      const role = <Role>(role: Role) => (roles ? { role } : {});
      const model = {
        parameters: {
          table: { shape: [6, 4], ...role('rows' as const) },
          kernel: { shape: [4, 3], ...role('product' as const) },
        },
        initialize: () => ({ table: tf.randomNormal([6, 4]), kernel: tf.randomNormal([4, 3]) }),
        apply: (
          _: object,
          { x }: Record<string, tf.Tensor>,
          { rows, product }: FunctionContext<'table' | 'kernel'>,
        ) => product(rows(x!, 'table'), 'kernel').reshape([-1, 3]),
      };
      const sharing = [hashed('table', { stored: 10, block: 2 }), lowRank('kernel', { rank: 1 })];
      return open({ model, loss: 'sparseCategoricalCrossentropy', sharing });
    };
    const [factored, whole] = [await opened(true), await opened(false)];
    const uses = ({ sharing }: typeof factored) =>
      sharing!.inspect(0).weights.map(({ use }) => use);
    assert.deepEqual(uses(factored), ['look up', 'apply']);
    assert.deepEqual(uses(whole), ['expand', 'expand']);
    const weights = await factored.initialize(1);
    await assertFiniteDifferences(factored, weights, words);
    const [a, b] = [
      await gradient(factored, weights, words),
      await gradient(whole, weights, words),
    ];
    for (const [name, values] of Object.entries(a.gradient))
      for (const [i, value] of values.entries())
        assert.ok(Math.abs(value - b.gradient[name]![i]!) < 1e-5, `${name} ${i}`);
  });

  it('is refused without one of its parts, as is a program without a loss', () => {
    const apply = () => assert.fail();
    for (const [model, message] of [
      [undefined, 'The model given to defineTraining is no function'],
      [{ layers: [] }, 'The model given to defineTraining is no function'],
      [
        { parameters: { w: [4] }, init: apply, apply },
        'The model given to defineTraining has no initialize',
      ],
    ] as const)
      assert.throws(() => training({ model: model as never, loss: 'meanSquaredError' }), {
        code: 'BAD_PROGRAM',
        message,
      });
    const model = { parameters: { w: [4] }, initialize: apply, apply };
    assert.throws(() => training({ model, loss: undefined as never }), {
      code: 'BAD_PROGRAM',
      message: 'defineTraining was given no loss',
    });
  });

  it('is refused where it breaks its contract', async () => {
    const model = {
      parameters: { w: [4] },
      initialize: () => ({ w: [1, 2] }),
      apply: () => 3 as never,
    };
    const computation = await open({ model, loss: (_y, yPred) => yPred });
    await assert.rejects(
      async () => computation.initialize(1),
      /gave 2 values for "w" \[4\], which has 4/,
    );
    await assert.rejects(
      gradient(computation, { w: new Float32Array(4) }, batch),
      /did not return a tensor/,
    );
  });
});
