import { tf } from '../tf.js';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';

/**
 * Masking and ThresholdedReLU multiply by what a comparison gives, for which tfjs has no gradient: behind other
 * weights they could not be trained.
 */
export function mendComparingLayers(model: ModelLike): Override[] {
  return allLayers(model).flatMap((layer) => {
    const choose = choiceOf(layer);
    if (choose === undefined || Object.hasOwn(layer, 'call')) return [];
    const value = (inputs: tf.Tensor | tf.Tensor[]) =>
      tf.tidy(() => {
        const input = Array.isArray(inputs) ? inputs[0]! : inputs;
        return input.mul(withoutGradient(choose, input));
      });
    return [{ target: layer, property: 'call', value }];
  });
}

/** The mask that a layer makes of its values, [n, steps]; undefined if it makes none of them. */
export function ownMask(layer: LayerLike): ((input: tf.Tensor) => tf.Tensor) | undefined {
  if (layer.getClassName() !== 'Masking') return undefined;
  const choose = choiceOf(layer)!;
  return (input) => tf.tidy(() => withoutGradient(choose, input).squeeze([-1]).cast('bool'));
}

/** Which values a layer lets through, as 0 and 1, for each or for the last dimension of them. */
function choiceOf(layer: LayerLike): ((x: tf.Tensor) => tf.Tensor) | undefined {
  const { maskValue, theta } = layer as LayerLike & Record<'maskValue' | 'theta', number>;
  switch (layer.getClassName()) {
    case 'Masking':
      return (x) => tf.any(tf.notEqual(x, maskValue), -1, true);
    case 'ThresholdedReLU':
      return (x) => tf.greater(x, theta);
    default:
      return undefined;
  }
}

/** It is constant but for steps. */
function withoutGradient(choose: (x: tf.Tensor) => tf.Tensor, input: tf.Tensor): tf.Tensor {
  const chosen = tf.customGrad((x) => ({
    value: choose(x as tf.Tensor).cast('float32'),
    gradFunc: () => tf.zerosLike(x as tf.Tensor),
  }));
  return chosen(input);
}
