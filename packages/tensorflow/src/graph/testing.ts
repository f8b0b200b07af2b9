import type { Batch } from '@tutti/data';
import { hashed } from '@tutti/parameters';
import type { FunctionModel } from '../model/function-model.js';
import { classified, smallConvNet } from '../testing.js';
import { tf } from '../tf.js';
import type { TrainingOptions } from '../training/training-options.js';

/** A program whose gradients are a graph, and a micro-batch for it. */
export interface Specimen
  extends Pick<TrainingOptions, 'model' | 'loss'>,
    Partial<Omit<TrainingOptions, 'model' | 'loss'>> {
  readonly batch: Batch;
}

const images = classified(6, [12, 12, 1], 5);
const rows = classified(16, [6], 3);
const words: Batch = {
  x: { data: Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 11), shape: [4, 6] },
  y: { data: Int32Array.of(0, 1, 1, 0), shape: [4] },
};

const sparse = 'sparseCategoricalCrossentropy';
const classes = (units = 3) => tf.layers.dense({ units, activation: 'softmax' });
const embedding = (maskZero: boolean) =>
  tf.layers.embedding({ inputShape: [6], inputDim: 11, outputDim: 4, maskZero });
const yes = () => tf.layers.dense({ units: 1, activation: 'sigmoid' });

/** The sum of what tfjs makes of a positive number in many ways. */
const elementwise: FunctionModel<'a'> = {
  parameters: { a: [6] },
  initialize: () => ({ a: tf.linspace(0.5, 1.5, 6) }),
  apply({ a }, { x }) {
    const p = x!.mul(a).abs().add(0.1) as tf.Tensor2D;
    return [
      ...[p.sqrt(), p.rsqrt(), p.log(), p.log1p(), p.exp(), p.expm1(), p.pow(1.5)],
      ...[p.sin(), p.cos(), p.tanh(), p.sigmoid(), p.softplus(), p.erf(), p.square()],
      ...[p.elu(), p.selu(), p.relu(), p.relu6(), p.leakyRelu(0.1), p.softmax(), p.neg()],
      ...[p.floor(), p.round(), p.sign(), p.minimum(0.7), p.maximum(0.3), p.reciprocal()],
      ...[p.squaredDifference(x!), p.clipByValue(0.2, 0.8), p.reverse(1)],
      ...[x!.prod(1, true), p.min(1, true), p.max(1, true), p.mean(0, true)].map((each) =>
        p.mul(each),
      ),
      tf.where(x!.less(0.5).logicalOr(x!.lessEqual(0.2)).logicalNot(), p, p.mul(2)),
      tf.where(x!.greaterEqual(0.5).logicalAnd(x!.notEqual(0.7)), p, p.div(2)),
      x!.stridedSlice([0, 0], [16, 6], [1, 2]).tile([1, 2]) as tf.Tensor2D,
      tf.tile(p, [1, 2]).slice([0, 3], [16, 6]),
      p
        .pad([
          [0, 0],
          [1, 1],
        ])
        .slice([0, 0], [16, 6]),
    ].reduce((sum, each) => sum.add(each));
  },
};

/** Not part of the package's interface: programs with operations of all kinds. */
export const SPECIMENS: Readonly<Record<string, Specimen>> = {
  'the ConvNet': { model: smallConvNet, loss: sparse, metrics: ['accuracy'], batch: images },
  'a masked LSTM': {
    model: () => tf.sequential({ layers: [embedding(true), tf.layers.lstm({ units: 5 }), yes()] }),
    loss: 'binaryCrossentropy',
    metrics: ['accuracy'],
    batch: words,
  },
  'two outputs, of which one is masked and weighed': {
    model: () => {
      const input = tf.input({ shape: [6, 1], name: 'x' });
      const masked = tf.layers.masking().apply(input);
      const states = tf.layers
        .lstm({ units: 3, returnSequences: true })
        .apply(masked) as tf.SymbolicTensor;
      const each = tf.layers.dense({ units: 3, activation: 'softmax', name: 'each' }).apply(states);
      const last = tf.layers.flatten().apply(states) as tf.SymbolicTensor;
      const whole = tf.layers.dense({ units: 1, activation: 'sigmoid', name: 'whole' }).apply(last);
      return tf.model({ inputs: input, outputs: [each, whole] as tf.SymbolicTensor[] });
    },
    loss: { each: sparse, whole: 'binaryCrossentropy' },
    metrics: {
      each: ['accuracy', 'perplexity', { name: 'topKAccuracy', k: 2 }],
      whole: ['precision', 'recall', 'auc', 'rootMeanSquaredError', 'r2'],
    },
    lossWeights: { whole: 0.5 },
    classWeight: { whole: { 1: 3 } },
    batch: {
      x: { data: words.x!.data.map((word) => word % 3), shape: [4, 6, 1] },
      each: { data: words.x!.data.map((word) => word % 3), shape: [4, 6] },
      whole: words.y!,
    },
  },
  'recurrent layers in both directions': {
    model: () =>
      tf.sequential({
        layers: [
          embedding(false),
          tf.layers.bidirectional({
            layer: tf.layers.gru({ units: 3, returnSequences: true }) as never,
            mergeMode: 'concat',
          }),
          tf.layers.simpleRNN({ units: 4 }),
          yes(),
        ],
      }),
    loss: { name: 'binaryCrossentropy', fromLogits: true },
    batch: words,
  },
  'dense layers that share weights': {
    model: () =>
      tf.sequential({
        layers: [
          tf.layers.dense({
            inputShape: [6],
            units: 32,
            activation: 'tanh',
            name: 'hidden',
            kernelRegularizer: tf.regularizers.l1l2(),
          }),
          classes(),
        ],
      }),
    sharing: [hashed('hidden/kernel', { stored: 40 })],
    loss: sparse,
    batch: rows,
  },
  'dropout, of examples that are random as well': {
    model: () =>
      tf.sequential({
        layers: [
          tf.layers.dense({ inputShape: [6], units: 12, activation: 'tanh' }),
          tf.layers.dropout({ rate: 0.3 }),
          tf.layers.reshape({ targetShape: [4, 3] }),
          tf.layers.spatialDropout1d({ rate: 0.5 }),
          tf.layers.flatten(),
          tf.layers.dropout({ rate: 0.2, noiseShape: [16, 1] }),
          tf.layers.dropout({ rate: 0.2, seed: 5 }),
          tf.layers.dropout({ rate: 0 }),
          classes(),
        ],
      }),
    loss: sparse,
    augment: ({ x, y }, random) => ({ x: x!.mul(random.next()), y: y! }),
    batch: rows,
  },
  'batch normalisation': {
    model: () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({
            inputShape: [12, 12, 1],
            filters: 4,
            kernelSize: 3,
            strides: 2,
            useBias: false,
          }),
          tf.layers.batchNormalization({ momentum: 0.9 }),
          tf.layers.activation({ activation: 'swish' }),
          tf.layers.layerNormalization(),
          tf.layers.globalAveragePooling2d({}),
          classes(5),
        ],
      }),
    loss: sparse,
    batch: images,
  },
  'convolutions and pooling of other kinds': {
    model: () =>
      tf.sequential({
        layers: [
          tf.layers.zeroPadding2d({ inputShape: [12, 12, 1] }),
          tf.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'elu' }),
          tf.layers.averagePooling2d({ poolSize: 2, padding: 'same' }),
          tf.layers.separableConv2d({ filters: 4, kernelSize: 2, activation: 'selu' }),
          tf.layers.leakyReLU(),
          tf.layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
          tf.layers.conv2d({ filters: 3, kernelSize: 2, strides: [2, 1] }),
          tf.layers.prelu(),
          tf.layers.flatten(),
          classes(5),
        ],
      }),
    loss: sparse,
    batch: images,
  },
  'layers that are joined': {
    model() {
      const x = tf.input({ shape: [6] });
      const dense = (units: number) => tf.layers.dense({ units }).apply(x) as tf.SymbolicTensor;
      const [a, b] = [dense(4), dense(4)];
      const joined = [
        tf.layers.add(),
        tf.layers.multiply(),
        tf.layers.average(),
        tf.layers.maximum(),
        tf.layers.minimum(),
        tf.layers.concatenate(),
      ].map((layer) => layer.apply([a, b]) as tf.SymbolicTensor);
      const all = tf.layers.concatenate().apply(joined);
      return tf.model({ inputs: x, outputs: classes().apply(all) as tf.SymbolicTensor });
    },
    loss: sparse,
    batch: rows,
  },
  'many functions of single elements': {
    graph: true,
    model: elementwise,
    loss: (_yTrue, yPred) => yPred.mean(1),
    batch: rows,
  },
};
