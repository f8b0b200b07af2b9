import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import mnistConvNet from './mnist-convnet.js';
import mnistDense from './mnist-dense.js';
import softmaxRegression from './softmax-regression.js';
import textLstm from './text-lstm.js';

const programs: [Program, number][] = [
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
