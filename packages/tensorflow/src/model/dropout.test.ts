import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import { tf } from '../tf.js';
import type { ModelLike } from '../tfjs/layers-internals.js';
import { drawNoise, type Noise } from '../tfjs/noise.js';
import { overriding } from '../tfjs/overrides.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import { takeNoise } from './dropout.js';

const layers: Record<string, () => tf.layers.Layer> = {
  dropout: () => tf.layers.dropout({ rate: 0.3 }),
  'dropout with a shape for its noise': () =>
    tf.layers.dropout({ rate: 0.6, noiseShape: [4, 1, null as never] }),
  spatialDropout1d: () => tf.layers.spatialDropout1d({ rate: 0.5 }),
  'dropout with a seed': () => tf.layers.dropout({ rate: 0.5, seed: 7 }),
  'dropout of nothing': () => tf.layers.dropout({ rate: 0 }),
};

describe('layers that take noise', () => {
  const built: tf.LayersModel[] = [];
  afterEach(() => {
    for (const model of built.splice(0)) model.dispose();
  });

  /** What a model of one layer makes of the same input, with the same random numbers. */
  function applied(make: () => tf.layers.Layer, training: boolean, noise?: Noise): number[] {
    const model = tf.sequential({
      layers: [tf.layers.activation({ activation: 'linear', inputShape: [3, 5] }), make()],
    });
    built.push(model);
    const overrides = noise === undefined ? [] : takeNoise(model as unknown as ModelLike, noise);
    const x = () => tf.linspace(0.1, 7, 60).reshape([4, 3, 5]);
    return withRandom(createRandom('noise'), () =>
      overriding(overrides, () =>
        tidied(() => [...(model.apply(x(), { training }) as tf.Tensor).dataSync()]),
      ),
    );
  }

  for (const [name, make] of Object.entries(layers))
    it(`give the bits of tfjs: ${name}`, () => {
      for (const training of [true, false])
        assert.deepEqual(applied(make, training, drawNoise), applied(make, training));
    });

  it('take it where they would draw', () => {
    const shapes: string[] = [];
    const zeros: Noise = (shape) => {
      shapes.push(shape.join());
      return tf.zeros([...shape]);
    };
    for (const make of Object.values(layers)) {
      applied(make, true, zeros);
      applied(make, false, zeros);
    }
    assert.deepEqual(shapes, ['4,3,5', '4,1,5', '4,1,5']);
  });
});
