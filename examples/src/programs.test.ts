import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import jaxMlp from './jax-mlp.js';
import mnistConvNet from './mnist-convnet.js';
import mnistDense from './mnist-dense.js';
import softmaxRegression from './softmax-regression.js';
import textLstm from './text-lstm.js';

const programs: [Program, number][] = [
  [jaxMlp, 784 * 128 + 128 + 128 * 10 + 10],
  [mnistConvNet, 225_034],
  [mnistDense, 25_000 + 256 + 2_560 + 10],
  [softmaxRegression, 7_850],
  [textLstm, 39 * 16 + 4 * 20 * (16 + 20 + 1) + 20 + 1],
];

for (const [program, stored] of programs) {
  describe(`the example ${program.name}`, () => {
    it(`stores ${stored} values and learns from a batch`, async () => {
      const computation = await program.open();
      const { training } = await program.data();
      const batch = await training.read(Array.from({ length: 64 }, (_, i) => i));
      const weights = { ...(await computation.initialize(program.seed)) };
      const sizes = Object.values(weights).map(({ length }) => length);
      assert.equal(
        sizes.reduce((sum, size) => sum + size),
        stored,
      );

      const before = await computation.evaluate(weights, batch);
      assert.equal(before.count, 64);
      for (let step = 0; step < 10; step++) {
        const random = createRandom('example', step);
        const at = { batch, epoch: 0, step, shard: 0, random };
        const { gradient, count } = await computation.gradient(weights, at);
        for (const [name, values] of Object.entries(gradient))
          weights[name] = weights[name]!.map((value, i) => value - (0.1 * values[i]!) / count);
      }
      const after = await computation.evaluate(weights, batch);
      assert.ok(after.lossSum < before.lossSum, `loss ${before.lossSum}, then ${after.lossSum}`);
      await computation.close?.();
    });
  });
}

describe('the example softmax-regression', () => {
  it('has the gradient of its loss', async () => {
    const computation = await softmaxRegression.open();
    const { training } = await softmaxRegression.data();
    const batch = await training.read([0, 1, 2, 3]);
    const random = createRandom('weights');
    const weights = {
      kernel: Float32Array.from({ length: 7_840 }, () => random.next() - 0.5),
      bias: new Float32Array(10),
    };
    const at = { batch, epoch: 0, step: 0, shard: 0, random };
    const { gradient } = await computation.gradient(weights, at);
    for (const i of [4_055, 4_321, 5_000]) {
      const loss = async (delta: number) => {
        const kernel = weights.kernel.slice();
        kernel[i]! += delta;
        return (await computation.evaluate({ ...weights, kernel }, batch)).lossSum;
      };
      const numeric = ((await loss(0.01)) - (await loss(-0.01))) / 0.02;
      assert.ok(Math.abs(numeric - gradient.kernel![i]!) < 1e-3, `${i}: ${numeric}`);
    }
  });
});

describe('the example jax-mlp', () => {
  it('has the loss and the gradient of a plain loop', async () => {
    const computation = await jaxMlp.open();
    const { training } = await jaxMlp.data();
    const batch = await training.read([0, 1, 2]);
    const weights = await computation.initialize(1);
    const at = { batch, epoch: 0, step: 0, shard: 0, random: createRandom() };
    const { gradient, lossSum, count, metrics } = await computation.gradient(weights, at);
    assert.equal(count, 3);

    const plain = {
      loss: 0,
      right: 0,
      bias: new Float64Array(128),
      output: new Float64Array(1280),
    };
    const { hidden, output } = weights;
    for (let n = 0; n < count; n++) {
      const x = Array.from(batch.x!.data.subarray(n * 784, (n + 1) * 784));
      const active = Array.from({ length: 128 }, (_, h) =>
        Math.max(
          0,
          x.reduce((sum: number, pixel, p) => sum + pixel * hidden![p * 128 + h]!, 0),
        ),
      );
      const exponentials = Array.from({ length: 10 }, (_, c) =>
        Math.exp(active.reduce((sum, value, h) => sum + value * output![h * 10 + c]!, 0)),
      );
      const total = exponentials.reduce((sum, each) => sum + each);
      const label = batch.y!.data[n]!;
      plain.loss -= Math.log(exponentials[label]! / total);
      if (exponentials[label] === Math.max(...exponentials)) plain.right++;
      for (let c = 0; c < 10; c++) {
        const error = exponentials[c]! / total - (c === label ? 1 : 0);
        for (let h = 0; h < 128; h++) {
          plain.output[h * 10 + c]! += error * active[h]!;
          if (active[h]! > 0) plain.bias[h]! += error * output![h * 10 + c]!;
        }
      }
    }
    assert.ok(Math.abs(lossSum - plain.loss) < 1e-4, `${lossSum}, ${plain.loss}`);
    assert.equal(metrics!.accuracy, plain.right);
    for (const [name, values] of [
      ['hiddenBias', plain.bias],
      ['output', plain.output],
    ] as const)
      for (const [i, value] of values.entries())
        assert.ok(Math.abs(gradient[name]![i]! - value) < 1e-5, `${name} ${i}`);
    const evaluated = await computation.evaluate(weights, batch);
    assert.ok(Math.abs(evaluated.lossSum - lossSum) < 1e-5);
  });
});
