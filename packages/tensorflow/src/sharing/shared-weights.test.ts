import assert from 'node:assert/strict';
import { hashed, lowRank, resolveSharing, tie } from '@tutti/parameters';
import { assertClose, assertFiniteDifferences, classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

// A square first layer, so that it can be tied to the second.
const model = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [5], units: 5, activation: 'tanh' }),
      tf.layers.dense({ units: 5, activation: 'tanh' }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
const loss = 'sparseCategoricalCrossentropy';
const batch = classified(9, [5], 3);

describe('shared weights', () => {
  const first = 'dense_1/kernel';
  const second = 'dense_2/kernel';
  const transpose = (values: ArrayLike<number>) =>
    Float32Array.from(values, (_, i) => values[(i % 5) * 5 + Math.floor(i / 5)]!);

  for (const transposed of [false, true]) {
    it(`sum the gradients of both uses of a ${transposed ? 'transposed ' : ''}tie`, async () => {
      const plain = await open({ model, loss });
      const tied = await open({
        model,
        loss,
        sharing: [tie(first, second, { transpose: transposed })],
      });
      assert.equal(tied.parameters.length, plain.parameters.length - 1);
      const stored = await tied.initialize(3);
      const turn = transposed ? transpose : Float32Array.from;
      const expanded = { ...stored, [second]: turn.call(Float32Array, stored[first]!) };
      const dense = await gradient(plain, expanded, batch);
      const result = await gradient(tied, stored, batch);
      const { [second]: other, ...expected } = { ...dense.gradient } as Record<
        string,
        Float32Array
      >;
      const back = turn.call(Float32Array, other!);
      expected[first] = expected[first]!.map((value, i) => value + back[i]!);
      assertClose(result.gradient, expected, 1e-5);
      assert.ok(Math.abs(result.lossSum - dense.lossSum) < 1e-5);
      await assertFiniteDifferences(tied, stored, batch);
    });
  }

  for (const sign of [false, true]) {
    it(`are the product with the sharing matrix when hashed${sign ? ' with sign' : ''}`, async () => {
      const plain = await open({ model, loss });
      const shared = await open({ model, loss, sharing: [hashed(second, { stored: 7, sign })] });
      const stored = await shared.initialize(3);
      assert.equal(stored[second]!.length, 7);
      // The columns of the matrix: what one stored value alone makes of the weight.
      const resolved = resolveSharing(plain.parameters, [hashed(second, { stored: 7, sign })]);
      const matrix = Array.from({ length: 7 }, (_, column) =>
        Float32Array.from(
          resolved.expand(second, {
            [second]: Float32Array.from({ length: 7 }, (_, i) => (i === column ? 1 : 0)),
          }),
        ),
      );
      const times = Float32Array.from({ length: 25 }, (_, row) =>
        matrix.reduce((sum, column, i) => sum + column[row]! * stored[second]![i]!, 0),
      );
      const dense = await gradient(plain, { ...stored, [second]: times }, batch);
      const expected = {
        ...dense.gradient,
        [second]: Float32Array.from(matrix, (column) =>
          column.reduce((sum, value, row) => sum + value * dense.gradient[second]![row]!, 0),
        ),
      };
      const result = await gradient(shared, stored, batch);
      assertClose(result.gradient, expected, 1e-5);
      await assertFiniteDifferences(shared, stored, batch);
    });
  }

  for (const graph of [true, false])
    it(`have penalties and wrappers also where they are applied or looked up, with${graph ? '' : 'out'} a graph`, async () => {
      const sequence = () =>
        tf.sequential({
          layers: [
            tf.layers.embedding({
              inputDim: 9,
              outputDim: 6,
              inputLength: 4,
              embeddingsRegularizer: tf.regularizers.l2(),
              name: 'table',
            }),
            tf.layers.timeDistributed({
              layer: tf.layers.dense({
                units: 6,
                activation: 'tanh',
                kernelRegularizer: tf.regularizers.l2(),
              }),
              name: 'wrapped',
            }),
            tf.layers.flatten(),
            tf.layers.dense({ units: 3, activation: 'softmax' }),
          ],
        });
      const sharing = [
        hashed('table/embeddings', { stored: 12, block: 2 }),
        lowRank('wrapped/kernel', { rank: 2 }),
      ];
      const plain = await open({ model: sequence, loss, graph: false });
      const shared = await open({ model: sequence, loss, graph, sharing });
      const { weights } = shared.sharing!.inspect(0);
      assert.deepEqual(
        weights.slice(0, 2).map(({ use }) => use),
        ['look up', 'apply'],
      );
      const ids = Int32Array.from({ length: 28 }, (_, i) => (i * 5) % 9);
      const words = { ...classified(7, [1], 3), x: { data: ids, shape: [7, 4] } };
      const stored = await shared.initialize(3);
      const resolved = resolveSharing(plain.parameters, sharing);
      const whole = Object.fromEntries(
        plain.parameters.map(({ name }) => [
          name,
          Float32Array.from(resolved.expand(name, stored)),
        ]),
      );
      const expected = await gradient(plain, whole, words);
      const result = await gradient(shared, stored, words);
      assert.ok(Math.abs(result.lossSum - expected.lossSum) < 1e-4);
      for (const [name, values] of Object.entries(expected.gradient))
        if (name in result.gradient && result.gradient[name]!.length === values.length)
          assertClose({ [name]: result.gradient[name]! }, { [name]: values }, 1e-5);
      await assertFiniteDifferences(shared, stored, words);
    });

  it('keep no tensors', async () => {
    const shared = await open({
      model,
      loss,
      sharing: [hashed(first, { stored: 7 }), tie(first, second, { transpose: true })],
    });
    const stored = await shared.initialize(3);
    await assertFiniteDifferences(shared, stored, batch);
    const before = tf.memory().numTensors;
    await gradient(shared, stored, batch);
    assert.equal(tf.memory().numTensors, before);
  });
});
