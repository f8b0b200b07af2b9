import type { Tf } from '../tf.js';
import type { ModelLike } from '../tfjs/layers-internals.js';

/**
 * Why a model might do something else at another call, if it might: it has parts that tfjs did not
 * make, or that are random (but for dropout). What is left is known to do the same operations for the same shapes.
 */
export function unsteadyPart(tf: Tf, model: ModelLike): string | undefined {
  if (model.inputs.some(({ shape }) => shape.slice(1).some((extent) => extent === null)))
    return 'the shape of its input is not fixed';
  const steady = steadyClasses(tf);
  const check = (part: Part): string | undefined => {
    const changed = Object.hasOwn(part, 'call') || Object.hasOwn(part, 'apply') || part._callHook;
    if (changed || !steady.has(part.constructor))
      return `${part.name === undefined ? '' : `"${part.name}" of type `}${part.getClassName()} is not a deterministic part of tfjs, as it comes`;
    return partsOf(part).map(check).find(Boolean);
  };
  return check(model as unknown as Part);
}

interface Part {
  readonly name?: string;
  readonly _callHook?: unknown;
  getClassName(): string;
}

/** Layers, cells, activations and regularizers; initializers have done their work. */
function partsOf(part: Part): Part[] {
  return Object.entries(part)
    .filter(([property]) => !/initializer$/i.test(property))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((value) => typeof value?.getClassName === 'function');
}

type Layers = Tf['layers'];

/** One of each, since tfjs does not export the classes. */
const SAMPLES: readonly ((layers: Layers) => unknown)[] = [
  (layers) => layers.inputLayer({ inputShape: [1] }),
  (layers) => layers.dense({ units: 1 }),
  (layers) => layers.activation({ activation: 'relu' }),
  (layers) => layers.dropout({ rate: 0.5 }),
  (layers) => layers.spatialDropout1d({ rate: 0.5 }),
  (layers) => layers.flatten(),
  (layers) => layers.reshape({ targetShape: [1] }),
  (layers) => layers.permute({ dims: [1] }),
  (layers) => layers.repeatVector({ n: 1 }),
  (layers) => layers.masking(),
  (layers) => layers.embedding({ inputDim: 1, outputDim: 1 }),
  (layers) => layers.conv1d({ filters: 1, kernelSize: 1 }),
  (layers) => layers.conv2d({ filters: 1, kernelSize: 1 }),
  (layers) => layers.conv2dTranspose({ filters: 1, kernelSize: 1 }),
  (layers) => layers.depthwiseConv2d({ kernelSize: 1 }),
  (layers) => layers.separableConv2d({ filters: 1, kernelSize: 1 }),
  (layers) => layers.maxPooling1d({}),
  (layers) => layers.maxPooling2d({}),
  (layers) => layers.averagePooling1d({}),
  (layers) => layers.averagePooling2d({}),
  (layers) => layers.globalMaxPooling1d({}),
  (layers) => layers.globalMaxPooling2d({}),
  (layers) => layers.globalAveragePooling1d(),
  (layers) => layers.globalAveragePooling2d({}),
  (layers) => layers.zeroPadding2d(),
  (layers) => layers.cropping2D({ cropping: 0 }),
  (layers) => layers.upSampling2d({}),
  (layers) => layers.batchNormalization(),
  (layers) => layers.layerNormalization(),
  (layers) => layers.reLU(),
  (layers) => layers.leakyReLU(),
  (layers) => layers.prelu(),
  (layers) => layers.elu(),
  (layers) => layers.thresholdedReLU(),
  (layers) => layers.softmax(),
  (layers) => layers.simpleRNN({ units: 1 }),
  (layers) => layers.gru({ units: 1 }),
  (layers) => layers.lstm({ units: 1 }),
  (layers) => layers.rnn({ cell: layers.stackedRNNCells({ cells: [] }) }),
  (layers) => layers.bidirectional({ layer: layers.lstm({ units: 1 }) as never }),
  (layers) => layers.timeDistributed({ layer: layers.dense({ units: 1 }) }),
  (layers) => layers.add(),
  (layers) => layers.multiply(),
  (layers) => layers.average(),
  (layers) => layers.maximum(),
  (layers) => layers.minimum(),
  (layers) => layers.concatenate(),
  (layers) => layers.dot({ axes: 1 }),
];

const ACTIVATIONS = [
  ['elu', 'selu', 'relu', 'relu6', 'linear', 'sigmoid', 'hardSigmoid', 'softplus', 'softsign'],
  ['tanh', 'softmax', 'logSoftmax', 'gelu', 'gelu_new', 'mish', 'swish'],
].flat() as Parameters<Layers['activation']>[0]['activation'][];

function steadyClasses(tf: Tf): ReadonlySet<unknown> {
  const samples = [
    ...SAMPLES.map((make) => make(tf.layers)),
    ...ACTIVATIONS.map((activation) => tf.layers.activation({ activation })),
    tf.layers.dense({ units: 1, kernelRegularizer: tf.regularizers.l2() }),
  ] as Part[];
  const withParts = (part: Part): Part[] => [part, ...partsOf(part).flatMap(withParts)];
  const classes = samples.flatMap(withParts).map((part) => part.constructor);
  return new Set<unknown>([tf.Sequential, tf.LayersModel, ...classes]);
}
