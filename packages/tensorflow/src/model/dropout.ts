import { tf } from '../tf.js';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';
import type { Noise } from '../tfjs/noise.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';

/**
 * Has dropout layers, as long as this is in place, take what is random from `noise`, as numbers in [0, 1): the same maths and, where
 * `noise` draws as tfjs does, the same bits. A graph can then be given the numbers of each
 * micro-batch. Layers with a seed of their own, and those inside of others, are left as they are.
 */
export function takeNoise(
  model: ModelLike,
  noise: (...args: Parameters<Noise>) => tf.Tensor | undefined,
): Override[] {
  return allLayers(model).flatMap((layer) => {
    if (!isDropout(layer) || layer.seed != null || Object.hasOwn(layer, 'call')) return [];
    const original = layer.call.bind(layer);
    const value: Dropout['call'] = (inputs, kwargs) =>
      tf.tidy(() => {
        const input = Array.isArray(inputs) ? inputs[0]! : inputs;
        const { rate } = layer;
        const dropping = kwargs.training === true && 0 < rate && rate < 1;
        const drawn = dropping ? noise(layer.getNoiseShape(input) ?? input.shape) : undefined;
        if (drawn === undefined) return original(inputs, kwargs);
        const kept = 1 - rate;
        return input.mul(drawn.add(kept).floor().div(kept));
      });
    return [{ target: layer, property: 'call', value }];
  });
}

interface Dropout extends LayerLike {
  readonly rate: number;
  readonly seed?: number | null;
  getNoiseShape(input: tf.Tensor): number[] | null | undefined;
  call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: { readonly training?: boolean },
  ): tf.Tensor | tf.Tensor[];
}

function isDropout(layer: LayerLike): layer is Dropout {
  return ['Dropout', 'SpatialDropout1D'].includes(layer.getClassName());
}
