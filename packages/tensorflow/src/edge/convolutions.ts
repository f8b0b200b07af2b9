import type { Conversion, Result } from './conversion.js';

type Pair = readonly [number, number];

interface ConvolutionConfig {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilationRate: Pair;
  readonly padding: 'same' | 'valid';
  readonly dataFormat?: string;
}

function configOf({ config, refuse }: Conversion): ConvolutionConfig {
  if (config.dataFormat === 'channelsFirst') refuse('has its channels first');
  return config as unknown as ConvolutionConfig;
}

export function convolution2d(conversion: Conversion): Result {
  const { inputs, shape } = conversion;
  const { kernelSize, strides, dilationRate, padding } = configOf(conversion);
  const same = padding === 'same' ? 1 : 0;
  const window = [...kernelSize, ...strides, ...dilationRate, same];
  return { at: emitConvolution(conversion, inputs[0].at, window), shape };
}

/** As over an image of one row. */
export function convolution1d(conversion: Conversion): Result {
  const { inputs, shape, emit } = conversion;
  const { kernelSize, strides, dilationRate, padding } = configOf(conversion);
  const [time, channels] = inputs[0].shape as Pair;
  const [[size], [stride], [dilation]] = [kernelSize, strides, dilationRate];
  const image = emit({ kind: 'reshape', inputs: [inputs[0].at], numbers: [1, time, channels] });
  const same = padding === 'same' ? 1 : 0;
  const made = emitConvolution(conversion, image, [1, size, 1, stride, 1, dilation, same]);
  return { at: emit({ kind: 'reshape', inputs: [made], numbers: shape }), shape };
}

/** A kernel that is a product A B becomes filters A, whose results are multiplied by B at each place. */
function emitConvolution(conversion: Conversion, input: number, window: readonly number[]): number {
  const { layer, shape, emit, weight, factors, bias, activation } = conversion;
  const filters = shape.at(-1)!;
  const product = factors(layer.kernel!);
  if (product === undefined)
    return emit({
      kind: 'conv2d',
      inputs: [input],
      numbers: [filters, ...window],
      activations: [activation()],
      weights: [weight(layer.kernel!), bias(layer.bias, filters)],
    });
  const filtered = emit({
    kind: 'conv2d',
    inputs: [input],
    numbers: [product.rank, ...window],
    activations: [{ name: 'linear' }],
    weights: [product.left, new Float32Array(product.rank)],
  });
  return emit({
    kind: 'dense',
    inputs: [filtered],
    numbers: [filters],
    activations: [activation()],
    weights: [product.right, bias(layer.bias, filters)],
  });
}

export function depthwise(conversion: Conversion): Result {
  const { layer, inputs, shape, config, emit, weight, bias, activation, refuse } = conversion;
  const { kernelSize, strides, dilationRate, padding } = configOf(conversion);
  // TensorFlow.js passes it over.
  if (dilationRate.some((each) => each !== 1)) refuse('is dilated');
  const at = emit({
    kind: 'depthwiseConv2d',
    inputs: [inputs[0].at],
    numbers: [
      config.depthMultiplier as number,
      ...kernelSize,
      ...strides,
      1,
      1,
      padding === 'same' ? 1 : 0,
    ],
    activations: [activation()],
    weights: [weight(layer.depthwiseKernel!), bias(layer.bias, shape.at(-1)!)],
  });
  return { at, shape };
}

/** Each channel for itself, then all channels of each place. */
export function separable(conversion: Conversion): Result {
  const { layer, inputs, shape, emit, weight, bias, activation } = conversion;
  const { strides, dilationRate, padding } = configOf(conversion);
  const kernel = weight(layer.depthwiseKernel!);
  const [rows, columns, channels, multiplier] = layer.depthwiseKernel!.shape as [
    number,
    number,
    number,
    number,
  ];
  const filters = shape.at(-1)!;
  const between = emit({
    kind: 'depthwiseConv2d',
    inputs: [inputs[0].at],
    numbers: [multiplier, rows, columns, ...strides, ...dilationRate, padding === 'same' ? 1 : 0],
    activations: [{ name: 'linear' }],
    weights: [kernel, new Float32Array(channels * multiplier)],
  });
  const at = emit({
    kind: 'conv2d',
    inputs: [between],
    numbers: [filters, 1, 1, 1, 1, 1, 1, 0],
    activations: [activation()],
    weights: [weight(layer.pointwiseKernel!), bias(layer.bias, filters)],
  });
  return { at, shape };
}

export function zeroPadding(conversion: Conversion): Result {
  const { inputs, shape, config, emit } = conversion;
  configOf(conversion);
  const [[top, bottom], [left, right]] = config.padding as [Pair, Pair];
  const at = emit({
    kind: 'zeroPadding2d',
    inputs: [inputs[0].at],
    numbers: [top, bottom, left, right],
  });
  return { at, shape };
}
