import { tf } from '../tf.js';
import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';

/**
 * tfjs fuses a convolution whose activation is not relu or elu with its bias, in a way that always
 * computes the gradient of its input: a third of the layer's time, for nothing where the input is
 * the batch. This gives such layers the same maths as separate operations, whose gradients are
 * computed only where they lead to a weight.
 */
export function unfuseConvolutions(model: ModelLike): Override[] {
  return allLayers(model).flatMap((layer) => {
    if (!isConvolution(layer) || Object.hasOwn(layer, 'call')) return [];
    if (layer.dataFormat === 'channelsFirst') return [];
    if (['relu', 'elu'].includes(layer.activation?.getClassName() ?? '')) return [];
    const value: Convolution['call'] = (inputs) => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      return tf.tidy(() => {
        const convolved = tf.conv2d(
          input as tf.Tensor4D,
          layer.kernel.read() as tf.Tensor4D,
          layer.strides,
          layer.padding === 'same' ? 'same' : 'valid',
          'NHWC',
          layer.dilationRate,
        );
        const biased = layer.bias == null ? convolved : convolved.add(layer.bias.read());
        return layer.activation?.apply(biased) ?? biased;
      });
    };
    return [{ target: layer, property: 'call', value }];
  });
}

interface Convolution extends LayerLike {
  readonly kernel: LayerVariable;
  readonly bias?: LayerVariable | null;
  readonly strides: [number, number];
  readonly padding: string;
  readonly dataFormat: string;
  readonly dilationRate: [number, number];
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor;
}

function isConvolution(layer: LayerLike): layer is Convolution {
  return layer.getClassName() === 'Conv2D';
}
