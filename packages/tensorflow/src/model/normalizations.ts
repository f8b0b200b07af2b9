import { tf } from '../tf.js';
import type { CallOptions, LayerLike, ModelLike } from '../tfjs/layers-internals.js';
import { type Override, overriding } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';
import { frozenWeights } from './weight-names.js';

/**
 * tfjs cannot train normalisation without `scale` or `center`, nor batch normalisation along another dimension
 * than the last. This has it multiply by 1 and add 0, and turns that dimension to the end. Where it is not to be
 * trained, it takes the moments that it has, as in Keras 3; tfjs takes those of the micro-batch, and moves its own.
 */
export function mendNormalizations(model: ModelLike): Override[] {
  const frozen = frozenWeights(model);
  return allLayers(model).flatMap((layer) => {
    if (!isNormalization(layer) || Object.hasOwn(layer, 'call')) return [];
    const own = layer._trainableWeights ?? [];
    const still = own.length > 0 ? own.every((each) => frozen.has(each)) : !layer.trainable;
    const call: Normalization['call'] = (inputs, kwargs) =>
      Object.getPrototypeOf(layer).call.call(
        layer,
        inputs,
        still ? { ...kwargs, training: false } : kwargs,
      );
    const value: Normalization['call'] = (inputs, kwargs) => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const axes = [layer.axis].flat().map((axis) => (axis < 0 ? axis + input.rank : axis));
      const shape = axes.map((axis) => input.shape[axis]!);
      const inPlace = [
        ...(layer.scale ? [] : instead(layer, { scale: true, gamma: constant(tf.ones, shape) })),
        ...(layer.center ? [] : instead(layer, { center: true, beta: constant(tf.zeros, shape) })),
      ];
      const [axis] = axes as [number];
      if (layer.getClassName() !== 'BatchNormalization' || axis === input.rank - 1)
        return overriding(inPlace, () => call(inputs, kwargs));
      const places = input.shape.map((_, at) => at);
      const order = [...places.filter((at) => at !== axis), axis];
      const back = places.map((at) => order.indexOf(at));
      return tf.tidy(() =>
        overriding([...inPlace, ...instead(layer, { axis: -1 })], () =>
          call(input.transpose(order), kwargs).transpose(back),
        ),
      );
    };
    return instead(layer, { call: value });
  });
}

interface Normalization extends LayerLike {
  readonly axis: number | readonly number[];
  readonly scale: boolean;
  readonly center: boolean;
  readonly trainable: boolean;
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallOptions): tf.Tensor;
}

const isNormalization = (layer: LayerLike): layer is Normalization =>
  ['BatchNormalization', 'LayerNormalization'].includes(layer.getClassName());

/** What a layer reads as one of its weights. */
const constant = (make: (shape: number[]) => tf.Tensor, shape: number[]) => ({
  read: () => make(shape),
});

const instead = (target: object, properties: Readonly<Record<string, unknown>>): Override[] =>
  Object.entries(properties).map(([property, value]) => ({ target, property, value }));
