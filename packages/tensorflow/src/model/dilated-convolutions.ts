import { tf } from '../tf.js';
import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';

/**
 * tfjs has no gradient of a dilated convolution. This has its layers take a kernel with zeros in between: the
 * same maths, with more multiplications.
 */
export function mendDilatedConvolutions(model: ModelLike): Override[] {
  return allLayers(model).flatMap((layer) => {
    const convolve = CONVOLUTIONS[layer.getClassName()];
    const { dilationRate = [], dataFormat } = layer as Partial<Convolution>;
    const dilated = dilationRate.some((rate) => rate > 1);
    if (convolve === undefined || !dilated || dataFormat === 'channelsFirst') return [];
    if (Object.hasOwn(layer, 'call')) return [];
    const value = (inputs: tf.Tensor | tf.Tensor[]) =>
      tf.tidy(() => {
        const { bias, activation, padding } = layer as Convolution;
        const input = Array.isArray(inputs) ? inputs[0]! : inputs;
        const pad = padding === 'same' ? 'same' : 'valid';
        const convolved = convolve(input, layer as Convolution, pad);
        const biased = bias == null ? convolved : convolved.add(bias.read());
        return activation?.apply(biased) ?? biased;
      });
    return [{ target: layer, property: 'call', value }];
  });
}

interface Convolution extends LayerLike {
  readonly kernel: LayerVariable;
  readonly depthwiseKernel: LayerVariable;
  readonly pointwiseKernel: LayerVariable;
  readonly bias?: LayerVariable | null;
  readonly strides: readonly number[];
  readonly padding: string;
  readonly dataFormat: string;
  readonly dilationRate: readonly number[];
}

type Convolve = (input: tf.Tensor, layer: Convolution, pad: 'same' | 'valid') => tf.Tensor;

const CONVOLUTIONS: Readonly<Record<string, Convolve>> = {
  Conv1D: (input, { kernel, strides, dilationRate }, pad) =>
    tf.conv1d(input as tf.Tensor3D, spread(kernel.read(), dilationRate), strides[0]!, pad),
  Conv2D: (input, { kernel, strides, dilationRate }, pad) =>
    tf.conv2d(input as tf.Tensor4D, spread(kernel.read(), dilationRate), pair(strides), pad),
  SeparableConv2D: (input, layer, pad) =>
    tf.separableConv2d(
      input as tf.Tensor4D,
      spread(layer.depthwiseKernel.read(), layer.dilationRate),
      layer.pointwiseKernel.read() as tf.Tensor4D,
      pair(layer.strides),
      pad,
    ),
};

const pair = ([rows, columns]: readonly number[]): [number, number] => [rows!, columns!];

/** A kernel [...extents, inputs, outputs] with `rate - 1` zeros between its neighbours along each extent. */
function spread<T extends tf.Tensor3D & tf.Tensor4D>(
  kernel: tf.Tensor,
  rates: readonly number[],
): T {
  const extents = kernel.shape.slice(0, rates.length);
  const rest = kernel.shape.slice(rates.length);
  const apart = kernel.reshape([...extents.flatMap((extent) => [extent, 1]), ...rest]);
  const none: [number, number] = [0, 0];
  const zeros = rates.flatMap((rate): [number, number][] => [none, [0, rate - 1]]);
  const padded = apart
    .pad([...zeros, ...rest.map(() => none)])
    .reshape([...extents.map((extent, at) => extent * rates[at]!), ...rest]);
  const size = extents.map((extent, at) => (extent - 1) * rates[at]! + 1);
  return padded.slice(
    kernel.shape.map(() => 0),
    [...size, ...rest],
  ) as T;
}
