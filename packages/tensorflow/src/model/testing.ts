import { hashed } from '@tutti/parameters';
import { createRandom } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { training } from '../testing.js';
import { tf } from '../tf.js';
import type { TrainingOptions } from '../training/training-options.js';

export type Shape = (number | null)[];
export type LayerCase = [inputs: Shape[], make: () => tf.layers.Layer];

/** What is not the default, since a config that forgets it gives the default back. */
const kernel = { kernelSize: 2, dilationRate: 1, useBias: false, activation: 'tanh' } as const;
const recurrent = {
  units: 3,
  activation: 'sigmoid',
  recurrentActivation: 'hardSigmoid',
  useBias: false,
  goBackwards: true,
  returnSequences: true,
} as const;

/** Every kind of layer that tfjs has for a model of numbers. */
export const EVERY_LAYER: Record<string, LayerCase | LayerCase[]> = {
  activation: [[[3]], () => tf.layers.activation({ activation: 'softsign' })],
  add: [[[3], [3]], () => tf.layers.add()],
  alphaDropout: [[[3]], () => tf.layers.alphaDropout({ rate: 0.3 })],
  average: [[[3], [3]], () => tf.layers.average()],
  averagePooling1d: [
    [[5, 2]],
    () => tf.layers.averagePooling1d({ poolSize: 3, strides: 1, padding: 'same' }),
  ],
  averagePooling2d: [
    [[5, 4, 2]],
    () => tf.layers.averagePooling2d({ poolSize: [3, 2], strides: [1, 2], padding: 'same' }),
  ],
  averagePooling3d: [
    [[4, 4, 4, 2]],
    () => tf.layers.averagePooling3d({ poolSize: [3, 2, 2], strides: [1, 2, 1], padding: 'same' }),
  ],
  batchNormalization: [
    [[4, 3]],
    () => tf.layers.batchNormalization({ axis: 1, epsilon: 0.5, center: false }),
  ],
  bidirectional: [
    [[4, 3]],
    () => tf.layers.bidirectional({ layer: tf.layers.gru(recurrent) as never, mergeMode: 'ave' }),
  ],
  centerCrop: [[[6, 6, 1]], () => tf.layers.centerCrop({ height: 3, width: 4 })],
  concatenate: [
    [
      [3, 2],
      [3, 2],
    ],
    () => tf.layers.concatenate({ axis: 1 }),
  ],
  conv1d: [
    [[6, 2]],
    () => tf.layers.conv1d({ ...kernel, filters: 3, strides: 2, padding: 'same' }),
  ],
  conv2d: [
    [[6, 5, 2]],
    () => tf.layers.conv2d({ ...kernel, filters: 3, strides: [2, 1], padding: 'same' }),
  ],
  conv2dTranspose: [
    [[4, 4, 2]],
    () => tf.layers.conv2dTranspose({ ...kernel, filters: 3, strides: 2, padding: 'same' }),
  ],
  conv3d: [[[4, 4, 4, 2]], () => tf.layers.conv3d({ ...kernel, filters: 2, strides: [1, 2, 1] })],
  conv3dTranspose: [
    [[3, 3, 3, 2]],
    () => tf.layers.conv3dTranspose({ ...kernel, filters: 2, strides: 2, padding: 'same' }),
  ],
  convLstm2d: [
    [[3, 5, 5, 2]],
    () =>
      tf.layers.convLstm2d({
        filters: 2,
        kernelSize: 2,
        padding: 'same',
        activation: 'sigmoid',
        returnSequences: true,
        useBias: false,
      }),
  ],
  cropping2D: [
    [[6, 6, 2]],
    () =>
      tf.layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
  ],
  dense: [[[3]], () => tf.layers.dense({ units: 4, activation: 'elu', useBias: false })],
  depthwiseConv2d: [
    [[5, 5, 2]],
    () => tf.layers.depthwiseConv2d({ ...kernel, depthMultiplier: 3, strides: 2, padding: 'same' }),
  ],
  dot: [
    [
      [4, 3],
      [4, 3],
    ],
    () => tf.layers.dot({ axes: 1, normalize: true }),
  ],
  dropout: [[[3]], () => tf.layers.dropout({ rate: 0.3, noiseShape: [1, 3], seed: 3 })],
  elu: [[[3]], () => tf.layers.elu()],
  embedding: [
    [[3]],
    () => tf.layers.embedding({ inputDim: 5, outputDim: 2, maskZero: true, inputLength: 3 }),
  ],
  flatten: [[[3, 4, 2]], () => tf.layers.flatten({ dataFormat: 'channelsFirst' })],
  gaussianDropout: [[[3]], () => tf.layers.gaussianDropout({ rate: 0.3 })],
  gaussianNoise: [[[3]], () => tf.layers.gaussianNoise({ stddev: 0.3 })],
  globalAveragePooling1d: [[[3, 2]], () => tf.layers.globalAveragePooling1d()],
  globalAveragePooling2d: [
    [[3, 4, 2]],
    () => tf.layers.globalAveragePooling2d({ dataFormat: 'channelsFirst' }),
  ],
  globalMaxPooling1d: [[[3, 2]], () => tf.layers.globalMaxPooling1d()],
  globalMaxPooling2d: [
    [[3, 4, 2]],
    () => tf.layers.globalMaxPooling2d({ dataFormat: 'channelsFirst' }),
  ],
  gru: [[[4, 3]], () => tf.layers.gru({ ...recurrent, dropout: 0.2, implementation: 1 })],
  inputLayer: [[[3]], () => tf.layers.dense({ units: 2 })],
  layerNormalization: [
    [[4, 3]],
    () => tf.layers.layerNormalization({ axis: 1, epsilon: 0.5, scale: false }),
  ],
  leakyReLU: [[[3]], () => tf.layers.leakyReLU({ alpha: 0.7 })],
  lstm: [[[4, 3]], () => tf.layers.lstm({ ...recurrent, unitForgetBias: false })],
  masking: [[[4, 3]], () => tf.layers.masking({ maskValue: 0.5 })],
  maxPooling1d: [
    [[5, 2]],
    () => tf.layers.maxPooling1d({ poolSize: 3, strides: 1, padding: 'same' }),
  ],
  maxPooling2d: [
    [[5, 4, 2]],
    () => tf.layers.maxPooling2d({ poolSize: [3, 2], strides: [1, 2], padding: 'same' }),
  ],
  maxPooling3d: [
    [[4, 4, 4, 2]],
    () => tf.layers.maxPooling3d({ poolSize: [3, 2, 2], strides: [1, 2, 1], padding: 'same' }),
  ],
  maximum: [[[3], [3]], () => tf.layers.maximum()],
  minimum: [[[3], [3]], () => tf.layers.minimum()],
  multiply: [[[3], [3]], () => tf.layers.multiply()],
  permute: [[[2, 3, 4]], () => tf.layers.permute({ dims: [3, 1, 2] })],
  prelu: [[[2, 3]], () => tf.layers.prelu({ sharedAxes: [1] })],
  reLU: [[[3]], () => tf.layers.reLU({ maxValue: 0.4 })],
  repeatVector: [[[3]], () => tf.layers.repeatVector({ n: 4 })],
  rescaling: [[[3, 3, 1]], () => tf.layers.rescaling({ scale: 0.5, offset: 2 })],
  reshape: [[[6]], () => tf.layers.reshape({ targetShape: [2, 3] })],
  rnn: [
    [[[4, 3]], () => tf.layers.rnn({ cell: tf.layers.lstmCell({ units: 2, useBias: false }) })],
    [
      [[4, 3]],
      () =>
        tf.layers.rnn({
          cell: [
            tf.layers.gruCell({ units: 2, activation: 'sigmoid' }),
            tf.layers.simpleRNNCell({ units: 3, useBias: false }),
          ],
          returnSequences: true,
        }),
    ],
  ],
  separableConv2d: [
    [[5, 5, 2]],
    () =>
      tf.layers.separableConv2d({
        ...kernel,
        filters: 3,
        depthMultiplier: 2,
        strides: 2,
        padding: 'same',
      }),
  ],
  simpleRNN: [
    [[4, 3]],
    () =>
      tf.layers.simpleRNN({ units: 3, activation: 'sigmoid', useBias: false, goBackwards: true }),
  ],
  softmax: [[[3, 4]], () => tf.layers.softmax({ axis: -1 })],
  spatialDropout1d: [[[3, 4]], () => tf.layers.spatialDropout1d({ rate: 0.3, seed: 3 })],
  thresholdedReLU: [[[3]], () => tf.layers.thresholdedReLU({ theta: 0.2 })],
  timeDistributed: [
    [
      [[3, 4]],
      () => tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2, useBias: false }) }),
    ],
    [
      [[2, 5, 5, 2]],
      () =>
        tf.layers.timeDistributed({
          layer: tf.layers.separableConv2d({ filters: 2, kernelSize: 2, depthMultiplier: 2 }),
        }),
    ],
  ],
  upSampling2d: [
    [[[3, 3, 2]], () => tf.layers.upSampling2d({ size: [2, 3] })],
    [[[3, 3, 2]], () => tf.layers.upSampling2d({ size: [2, 3], interpolation: 'bilinear' })],
  ],
  zeroPadding2d: [
    [[3, 3, 2]],
    () =>
      tf.layers.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 1],
        ],
      }),
  ],
};

/** One after the other, with a name each. */
export const layerCases = (): [name: string, inputs: Shape[], make: () => tf.layers.Layer][] =>
  Object.entries(EVERY_LAYER).flatMap(([name, given]) =>
    (Array.isArray(given[1]) ? (given as LayerCase[]) : [given as LayerCase]).map(
      ([shapes, make], at): [string, Shape[], () => tf.layers.Layer] => [
        `${name}${at === 0 ? '' : ` ${at + 1}`}`,
        shapes,
        make,
      ],
    ),
  );

/** A model of one layer. */
export const modelOf = (shapes: Shape[], make: () => tf.layers.Layer) => () => {
  const inputs = shapes.map((shape, i) => tf.input({ shape, name: `in_${i}` }));
  const outputs = make().apply(inputs.length === 1 ? inputs[0]! : inputs);
  return tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
};

const { dense } = tf.layers;
const ACTIVATIONS = [
  ...['elu', 'gelu', 'hardSigmoid', 'linear', 'mish', 'relu', 'relu6', 'selu', 'sigmoid'],
  ...['softmax', 'softplus', 'softsign', 'swish', 'tanh', 'logSoftmax'],
] as const;

/** Models by what is peculiar to them, with the shapes of their inputs. */
export const MODELS: Record<string, [Shape[], () => tf.LayersModel, Partial<TrainingOptions>?]> = {
  ...Object.fromEntries(
    layerCases().map(([name, shapes, make]) => [name, [shapes, modelOf(shapes, make)]]),
  ),
  ...Object.fromEntries(
    ACTIVATIONS.map((activation) => [
      `activation ${activation}`,
      [[[5]], modelOf([[5]], () => dense({ units: 4, activation: activation as 'relu' }))],
    ]),
  ),
  'recurrent layers with the activations of tfjs': [
    [[4, 3]],
    () =>
      tf.sequential({
        layers: [
          tf.layers.lstm({ inputShape: [4, 3], units: 3, returnSequences: true }),
          tf.layers.bidirectional({
            layer: tf.layers.gru({ units: 2, returnSequences: true }) as never,
          }),
          tf.layers.timeDistributed({ layer: dense({ units: 2 }) }),
        ],
      }),
  ],
  'the same kind of layer in several towers, one of them shared': [
    [[3], [3]],
    () => {
      const inputs = [
        tf.input({ shape: [3], name: 'left' }),
        tf.input({ shape: [3], name: 'right' }),
      ];
      const shared = dense({ units: 3, activation: 'tanh' });
      const [left, right] = inputs.map((input) =>
        dense({ units: 3 }).apply(shared.apply(dense({ units: 3 }).apply(input))),
      ) as [tf.SymbolicTensor, tf.SymbolicTensor];
      const joined = tf.layers.concatenate().apply([right, left]);
      const outputs = ['c', 'a', 'b'].map(
        (name) => dense({ units: 3, name }).apply(joined) as tf.SymbolicTensor,
      );
      return tf.model({ inputs: [inputs[1]!, inputs[0]!], outputs });
    },
    { loss: { a: 'meanSquaredError', b: 'meanSquaredError', c: 'meanSquaredError' } },
  ],
  'models within a model': [
    [[3]],
    () => {
      const inner = tf.sequential({
        layers: [dense({ inputShape: [3], units: 2 }), tf.layers.batchNormalization()],
      });
      const input = tf.input({ shape: [3] });
      const tower = tf.model({ inputs: input, outputs: dense({ units: 3 }).apply(input) as never });
      return tf.sequential({ layers: [tower, inner, dense({ units: 2 })] });
    },
  ],
  'a decoder that begins with the states of an encoder': [
    [
      [4, 3],
      [5, 2],
    ],
    () => {
      const inputs = [
        tf.input({ shape: [4, 3], name: 'a' }),
        tf.input({ shape: [5, 2], name: 'b' }),
      ];
      const encoder = tf.layers.lstm({ units: 3, returnState: true });
      const [, ...initialState] = encoder.apply(inputs[0]!) as tf.SymbolicTensor[];
      const decoder = tf.layers.lstm({ units: 3, returnSequences: true });
      const outputs = decoder.apply(inputs[1]!, { initialState }) as tf.SymbolicTensor;
      return tf.model({ inputs, outputs });
    },
  ],
  'both directions from given states': [
    [[4, 3], [2], [2]],
    () => {
      const [x, ...initialState] = [[4, 3], [2], [2]].map((shape, at) =>
        tf.input({ shape, name: `from_${at}` }),
      );
      const both = tf.layers.bidirectional({ layer: tf.layers.gru({ units: 2 }) as never });
      const outputs = both.apply(x!, { initialState }) as tf.SymbolicTensor;
      return tf.model({ inputs: [x!, ...initialState], outputs });
    },
  ],
  'a model at each step': [
    [[3, 4]],
    () => {
      const layer = tf.sequential({ layers: [dense({ inputShape: [4], units: 2 })] });
      return tf.sequential({ layers: [tf.layers.timeDistributed({ layer, inputShape: [3, 4] })] });
    },
  ],
  ...Object.fromEntries(
    (['functional', 'sequential'] as const).map((last) => [
      `models that a model calls several times, the last one ${last}`,
      [
        [[3]],
        () => {
          const inner = tf.input({ shape: [3] });
          const towers = {
            functional: tf.model({
              inputs: inner,
              outputs: dense({ units: 3, activation: 'tanh' }).apply(inner) as tf.SymbolicTensor,
            }),
            sequential: tf.sequential({ layers: [dense({ inputShape: [3], units: 3 })] }),
          };
          const { functional, sequential } = towers;
          const input = tf.input({ shape: [3] });
          const called = [functional, sequential, functional, sequential].map(
            (each) => each.apply(input) as tf.SymbolicTensor,
          );
          const joined = tf.layers.add().apply([input, ...called]);
          const dropped = tf.layers.dropout({ rate: 0.5 }).apply(functional.apply(joined));
          return tf.model({
            inputs: input,
            outputs: towers[last].apply(dropped) as tf.SymbolicTensor,
          });
        },
      ],
    ]),
  ),
  'frozen weights, and others that share stored values': [
    [[6]],
    () =>
      tf.sequential({
        layers: [
          dense({ inputShape: [6], units: 5, trainable: false, name: 'first' }),
          dense({ units: 4, name: 'second' }),
          dense({ units: 1, name: 'last', kernelRegularizer: 'l1l2' }),
        ],
      }),
    { sharing: [hashed('second/kernel', { stored: 7 })] },
  ],
};

export interface Given {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export function programOf(name: string) {
  const [, model, options] = MODELS[name]!;
  return training({ model, loss: (_yTrue, yPred) => yPred.flatten(), ...options });
}

export function inputsFor(shapes: Shape[], examples = 2): Given[] {
  return shapes.map((extents, at) => {
    const random = createRandom('inputs', at);
    const shape = [examples, ...extents.map((extent) => extent ?? 3)];
    const length = shape.reduce((a, b) => a * b);
    return { shape, values: Array.from({ length }, () => Math.fround(2 * random.next() - 1)) };
  });
}

/** By tfjs, from its own format. */
export async function predicted(path: string, inputs: readonly Given[]): Promise<number[][]> {
  const model = await tf.loadLayersModel(`file://${path}`);
  const tensors = inputs.map(({ values, shape }) => tf.tensor([...values], [...shape]));
  const outputs = model.apply(tensors.length === 1 ? tensors[0]! : tensors) as tf.Tensor;
  return [outputs].flat().map((each) => [...each.dataSync()]);
}

/** Stored parameters that are not what a layer begins with. */
export async function drawnValues(program: Program): Promise<ParameterValues> {
  const { parameters } = await program.open();
  const random = createRandom('weights');
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length }, () => 0.5 * random.next() + 0.1)];
    }),
  );
}
