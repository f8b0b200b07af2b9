import assert from 'node:assert/strict';
import { assertClose, classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const { layers } = tf;

/** What the layers before and after it are trained by. */
async function trained(make: () => tf.layers.Layer[], graph?: false) {
  const computation = await open({
    model: () =>
      tf.sequential({
        layers: [
          layers.dense({ inputShape: [4, 3], units: 5, name: 'before' }),
          ...make(),
          layers.flatten(),
          layers.dense({ units: 3, activation: 'softmax', name: 'after' }),
        ],
      }),
    loss: 'sparseCategoricalCrossentropy',
    ...(graph === undefined ? {} : { graph }),
  });
  const weights = await computation.initialize(1);
  const batch = classified(6, [4, 3], 3);
  const result = await gradient(computation, weights, batch);
  const { lossSum: evaluated } = await computation.evaluate(weights, batch);
  await computation.close?.();
  /** As one: that of the bias before is nothing but rounding. */
  const of = (part: RegExp) =>
    Object.entries(result.gradient).flatMap(([name, values]) =>
      part.test(name) ? [...values] : [],
    );
  return {
    lossSum: result.lossSum,
    evaluated,
    around: Float32Array.from(of(/^(before|after)/)),
    own: Float32Array.from(of(/^batch/)),
  };
}

async function assertAlike(
  one: () => tf.layers.Layer[],
  other: () => tf.layers.Layer[],
  graph?: false,
) {
  const [actual, expected] = [await trained(one, graph), await trained(other, graph)];
  for (const loss of ['lossSum', 'evaluated'] as const)
    assert.ok(Math.abs(actual[loss] - expected[loss]) < 1e-5 * expected[loss]);
  assertClose({ around: actual.around }, { around: expected.around }, 1e-4);
  return { actual, expected };
}

describe('normalisation', () => {
  const LAYERS = {
    'of batches': (options: object) => layers.batchNormalization({ ...options }),
    'of layers': (options: object) => layers.layerNormalization({ ...options }),
    'of layers over two dimensions': (options: object) =>
      layers.layerNormalization({ axis: [1, 2], ...options }),
  };
  for (const [what, make] of Object.entries(LAYERS))
    for (const options of [{ scale: false }, { center: false }, { scale: false, center: false }])
      it(`${what} is trained with ${JSON.stringify(options)} as with weights that do nothing`, () =>
        assertAlike(
          () => [make(options)],
          () => [make({})],
        ));

  it('of batches is trained along another dimension as along the last one', async () => {
    for (const graph of [false, undefined] as const) {
      const { actual, expected } = await assertAlike(
        () => [layers.batchNormalization({ axis: 1 })],
        () => [
          layers.permute({ dims: [2, 1] }),
          layers.batchNormalization(),
          layers.permute({ dims: [2, 1] }),
        ],
        graph,
      );
      assert.equal(actual.own.length, 16);
      assertClose({ own: actual.own }, { own: expected.own }, 1e-4);
    }
  });

  for (const [what, normalize] of Object.entries({
    'a layer': () => layers.batchNormalization({ trainable: false }),
    'a layer without weights of its own': () =>
      layers.batchNormalization({ trainable: false, scale: false, center: false }),
    'a model': () => {
      const within = tf.sequential({
        layers: [layers.batchNormalization({ inputShape: [4, 5] })],
      });
      within.trainable = false;
      return within as unknown as tf.layers.Layer;
    },
  }))
    it(`of batches takes the moments that it has where it is not to be trained: ${what}`, async () => {
      const computation = await open({
        model: () =>
          tf.sequential({
            layers: [
              layers.dense({ inputShape: [4, 3], units: 5 }),
              normalize(),
              layers.flatten(),
              layers.dense({ units: 3, activation: 'softmax' }),
            ],
          }),
        loss: 'sparseCategoricalCrossentropy',
      });
      const first = await computation.initialize(1);
      const [mean, variance] = ['moving_mean', 'moving_variance'].map(
        (part) => Object.keys(first).find((name) => name.endsWith(part))!,
      );
      const weights = {
        ...first,
        [mean!]: Float32Array.of(1, -1, 0.5, 2, 0),
        [variance!]: Float32Array.of(1, 2, 0.5, 0.1, 3),
      };
      const batch = classified(6, [4, 3], 3);
      const result = await gradient(computation, weights, batch);
      assert.equal(result.lossSum, (await computation.evaluate(weights, batch)).lossSum);
      for (const name of [mean!, variance!])
        assert.deepEqual(result.gradient[name], new Float32Array(5));
      await computation.close?.();
    });
});
