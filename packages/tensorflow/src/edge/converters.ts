import type { LayerSpec } from '@tutti/compress';
import type { Conversion, Result } from './conversion.js';
import { convolution1d, convolution2d, depthwise, separable, zeroPadding } from './convolutions.js';
import { emitFactor } from './factors.js';
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

/** A kernel that is a product A B becomes two layers: x A, then that times B. */
function dense(conversion: Conversion): Result {
  const { layer, inputs, shape, emit, weight, factors, bias, activation } = conversion;
  const [input] = inputs;
  const units = shape.at(-1)!;
  const product = factors(layer.kernel!);
  const read = product ? emitFactor(conversion, input.at, product.left, product.rank) : input.at;
  const at = emit({
    kind: 'dense',
    inputs: [read],
    numbers: [units],
    activations: [activation()],
    weights: [product ? product.right : weight(layer.kernel!), bias(layer.bias, units)],
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

/** Of a table that is a product A B, rows of A are looked up, and multiplied by B. */
function embedding(conversion: Conversion): Result {
  const { layer, inputs, shape, config, emit, weight, factors } = conversion;
  const [input] = inputs;
  const width = config.outputDim as number;
  const product = factors(layer.embeddings!);
  const found = emit({
    kind: 'embedding',
    inputs: [input.at],
    numbers: [config.inputDim as number, product?.rank ?? width],
    weights: [product?.left ?? weight(layer.embeddings!)],
  });
  const at = product ? emitFactor(conversion, found, product.right, width) : found;
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
