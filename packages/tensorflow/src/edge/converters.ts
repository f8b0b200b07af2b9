import type { LayerSpec } from '@tutti/compress';
import type { Conversion, Result } from './conversion.js';
import { convolution1d, convolution2d, depthwise, separable, zeroPadding } from './convolutions.js';
import { globalPooling, pooling1d, pooling2d } from './poolings.js';
import { bidirectional, recurrent } from './recurrents.js';

type Converter = (conversion: Conversion) => Result;

/** By the class names of tfjs. */
export const CONVERTERS: Readonly<Record<string, Converter>> = {
  Dense: dense,
  TimeDistributed: timeDistributed,
  Conv1D: convolution1d,
  Conv2D: convolution2d,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  ZeroPadding2D: zeroPadding,
  MaxPooling1D: pooling1d('maxPool'),
  MaxPooling2D: pooling2d('maxPool'),
  AveragePooling1D: pooling1d('averagePool'),
  AveragePooling2D: pooling2d('averagePool'),
  GlobalMaxPooling1D: globalPooling('maxPool'),
  GlobalMaxPooling2D: globalPooling('maxPool'),
  GlobalAveragePooling1D: globalPooling('averagePool'),
  GlobalAveragePooling2D: globalPooling('averagePool'),
  Embedding: embedding,
  SimpleRNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  Bidirectional: bidirectional,
  BatchNormalization: batchNormalization,
  Activation: (conversion) => activation(conversion, conversion.activation()),
  ReLU: rectifier,
  LeakyReLU: (conversion) =>
    activation(conversion, { name: 'leakyRelu', argument: conversion.config.alpha as number }),
  ELU: (conversion) =>
    activation(conversion, { name: 'elu', argument: conversion.config.alpha as number }),
  Softmax: softmax,
  Flatten: reshape,
  Reshape: reshape,
  // They do something in training only.
  Dropout: ({ inputs: [input] }) => input,
  SpatialDropout1D: ({ inputs: [input] }) => input,
  GaussianNoise: ({ inputs: [input] }) => input,
  GaussianDropout: ({ inputs: [input] }) => input,
  AlphaDropout: ({ inputs: [input] }) => input,
  Add: merge('add'),
  Multiply: merge('multiply'),
  Concatenate: concatenate,
};

function dense({ layer, inputs: [input], shape, emit, weight, bias, activation }: Conversion) {
  const units = shape.at(-1)!;
  const at = emit({
    kind: 'dense',
    inputs: [input.at],
    numbers: [units],
    activations: [activation()],
    weights: [weight(layer.kernel!), bias(layer.bias, units)],
  });
  return { ...input, at, shape };
}

function timeDistributed(conversion: Conversion): Result {
  const inner = conversion.layer.layer as Conversion['layer'];
  // Dense layers take every step for itself anyway.
  if (inner.getClassName() !== 'Dense')
    conversion.refuse(`is around a ${inner.getClassName()} instead of a Dense`);
  const { activation } = inner.getConfig();
  return dense({
    ...conversion,
    layer: inner,
    activation: () => conversion.activation(activation),
  });
}

function embedding({ layer, inputs: [input], shape, config, emit, weight }: Conversion): Result {
  const at = emit({
    kind: 'embedding',
    inputs: [input.at],
    numbers: [config.inputDim as number, config.outputDim as number],
    weights: [weight(layer.embeddings!)],
  });
  return { at, shape, ...(config.maskZero ? { mask: input.at } : {}) };
}

/** With the moving moments: a factor and a summand for each channel. */
function batchNormalization(conversion: Conversion): Result {
  const { layer, inputs, shape, config, emit, values, refuse } = conversion;
  const { axis, epsilon } = config as { axis: number; epsilon: number };
  if (axis !== -1 && axis !== shape.length)
    refuse(`normalises along dimension ${axis}, not the last`);
  const mean = values(layer.movingMean!);
  const factor = values(layer.movingVariance!).map(
    (variance, at) => (layer.gamma ? values(layer.gamma)[at]! : 1) / Math.sqrt(variance + epsilon),
  );
  const summand = mean.map(
    (each, at) => (layer.beta ? values(layer.beta)[at]! : 0) - each * factor[at]!,
  );
  const at = emit({ kind: 'affine', inputs: [inputs[0].at], weights: [factor, summand] });
  return { ...inputs[0], at, shape };
}

function activation(
  { inputs: [input], shape, emit }: Conversion,
  spec: NonNullable<LayerSpec['activations']>[number],
): Result {
  const at = emit({ kind: 'activation', inputs: [input.at], activations: [spec] });
  return { ...input, at, shape };
}

function rectifier(conversion: Conversion): Result {
  const { maxValue } = conversion.config as { maxValue?: number };
  return activation(
    conversion,
    typeof maxValue === 'number' ? { name: 'clippedRelu', argument: maxValue } : { name: 'relu' },
  );
}

function softmax(conversion: Conversion): Result {
  const { axis } = conversion.config as { axis: number };
  if (axis !== -1 && axis !== conversion.shape.length)
    conversion.refuse(`is along dimension ${axis}, not the last`);
  return activation(conversion, { name: 'softmax' });
}

function reshape({ inputs: [input], shape, config, emit, refuse }: Conversion): Result {
  if (config.dataFormat === 'channelsFirst') refuse('has its channels first');
  return { at: emit({ kind: 'reshape', inputs: [input.at], numbers: shape }), shape };
}

function merge(kind: 'add' | 'multiply'): Converter {
  return ({ inputs, shape, emit, refuse }) => {
    if (inputs.some((each) => each.shape.join() !== shape.join()))
      refuse('has inputs of different shapes');
    if (inputs.some((each) => each.mask !== undefined)) refuse('has inputs with a mask');
    return { at: emit({ kind, inputs: inputs.map(({ at }) => at) }), shape };
  };
}

function concatenate({ inputs, shape, config, emit, refuse }: Conversion): Result {
  if (inputs.some((each) => each.mask !== undefined)) refuse('has inputs with a mask');
  const axis = config.axis as number;
  // Counted with the number of examples.
  const numbers = [axis < 0 ? shape.length + axis : axis - 1];
  return { at: emit({ kind: 'concatenate', inputs: inputs.map(({ at }) => at), numbers }), shape };
}
