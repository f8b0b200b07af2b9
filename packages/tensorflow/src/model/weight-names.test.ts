import assert from 'node:assert/strict';
import { tf } from '../tf.js';
import type { LayerLike } from '../tfjs/layers-internals.js';
import { nameWeights } from './weight-names.js';

const names = (model: tf.LayersModel) => [...nameWeights(model as unknown as LayerLike).values()];

describe('nameWeights', () => {
  it('counts the layers of each class in their model, whatever was built before', () => {
    const build = () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 3 }),
          tf.layers.batchNormalization(),
          tf.layers.conv2d({ filters: 2, kernelSize: 3, useBias: false }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 2, name: 'output' }),
        ],
      });
    const expected = [
      'conv2d_1/kernel',
      'conv2d_1/bias',
      'batch_normalization_1/gamma',
      'batch_normalization_1/beta',
      'batch_normalization_1/moving_mean',
      'batch_normalization_1/moving_variance',
      'conv2d_2/kernel',
      'output/kernel',
      'output/bias',
    ];
    assert.deepEqual(names(build()), expected);
    assert.deepEqual(names(build()), expected);
  });

  it('goes into wrappers, stacked cells and nested models', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.bidirectional({
          inputShape: [4, 3],
          layer: tf.layers.simpleRNN({ units: 2, returnSequences: true, useBias: false }),
        }),
        tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3, useBias: false }) }),
        tf.layers.rnn({
          cell: [
            tf.layers.simpleRNNCell({ units: 2, useBias: false }),
            tf.layers.simpleRNNCell({ units: 2, useBias: false }),
          ],
        }),
        tf.sequential({
          layers: [tf.layers.dense({ inputShape: [2], units: 2, useBias: false })],
        }),
        tf.sequential({
          name: 'head',
          layers: [tf.layers.dense({ inputShape: [2], units: 2, useBias: false })],
        }),
      ],
    });
    assert.deepEqual(names(model), [
      'bidirectional_1/forward/kernel',
      'bidirectional_1/forward/recurrent_kernel',
      'bidirectional_1/backward/kernel',
      'bidirectional_1/backward/recurrent_kernel',
      'time_distributed_1/kernel',
      'rnn_1/cell_1/kernel',
      'rnn_1/cell_1/recurrent_kernel',
      'rnn_1/cell_2/kernel',
      'rnn_1/cell_2/recurrent_kernel',
      'sequential_1/dense_1/kernel',
      'head/dense_1/kernel',
    ]);
  });

  it('passes over names that the program gave', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [2], units: 2, useBias: false }),
        tf.layers.dense({ units: 2, useBias: false, name: 'dense_1' }),
        tf.layers.dense({ units: 2, useBias: false }),
        tf.layers.dense({ units: 2, useBias: false, name: 'dense_2' }),
      ],
    });
    assert.deepEqual(names(model), [
      'dense_3/kernel',
      'dense_1/kernel',
      'dense_4/kernel',
      'dense_2/kernel',
    ]);
  });

  it('tells the weights of layers within an own layer apart', () => {
    class Two extends tf.layers.Layer {
      static className = 'Two';
      override build(): void {
        const shape = [2, 2];
        for (const inner of ['first', 'second'])
          this.addWeight(`${inner}/kernel`, shape, 'float32', tf.initializers.ones());
        this.built = true;
      }
    }
    const model = tf.sequential({ layers: [new Two({ inputShape: [2] } as never)] });
    assert.deepEqual(names(model), ['two_1/first/kernel', 'two_1/second/kernel']);
  });

  it('refuses two weights with one name', () => {
    class Twice extends tf.layers.Layer {
      static className = 'Twice';
      override build(): void {
        const inner = [tf.layers.dense({ units: 2 }), tf.layers.dense({ units: 2 })];
        for (const layer of inner) layer.build([null, 2]);
        this.trainableWeights = inner.flatMap((layer) => layer.trainableWeights);
        this.built = true;
      }
    }
    const model = tf.sequential({ layers: [new Twice({ inputShape: [2] } as never)] });
    assert.throws(() => names(model), {
      code: 'BAD_PROGRAM',
      message: 'Two weights of the model are called "twice_1/kernel"',
      remedy: /addWeight/,
    });
  });
});
