import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import type { ParameterValues } from '@tutti/worker';
import fc from 'fast-check';
import { assertClose, classified, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

const settings = fc.record({
  activation: fc.constantFrom('relu', 'tanh', 'elu', 'swish', 'hardSigmoid', 'softmax'),
  padding: fc.constantFrom('same', 'valid'),
  size: fc.integer({ min: 1, max: 2 }),
  strides: fc.integer({ min: 1, max: 2 }),
  useBias: fc.boolean(),
});
type Settings = typeof settings extends fc.Arbitrary<infer Drawn> ? Drawn : never;
type Make = (settings: Settings) => tf.layers.Layer;

const FOR_ALL: readonly Make[] = [
  ({ activation }) => tf.layers.dense({ units: 3, activation }),
  ({ activation }) => tf.layers.activation({ activation }),
  () => tf.layers.batchNormalization({ momentum: 0.5 }),
  () => tf.layers.layerNormalization(),
  () => tf.layers.dropout({ rate: 0.4 }),
  () => tf.layers.prelu(),
];
const FOR_IMAGES: readonly Make[] = [
  ({ size, ...rest }) => tf.layers.conv2d({ ...rest, filters: 4, kernelSize: size }),
  ({ size, ...rest }) => tf.layers.separableConv2d({ ...rest, filters: 3, kernelSize: size }),
  ({ size, ...rest }) =>
    tf.layers.conv2dTranspose({ ...rest, filters: 3, kernelSize: size, strides: 1 }),
  ({ size, ...rest }) => tf.layers.depthwiseConv2d({ ...rest, kernelSize: size }),
  ({ size, strides, padding }) => tf.layers.maxPooling2d({ poolSize: size, strides, padding }),
  ({ strides, padding }) => tf.layers.maxPooling2d({ poolSize: 3, strides, padding }),
  ({ strides, padding }) => tf.layers.averagePooling2d({ poolSize: 2, strides, padding }),
];
const recurrent: Make = ({ size, strides, useBias }) => {
  const config = { units: 3, returnSequences: true, goBackwards: strides > 1, useBias };
  return size === 1 ? tf.layers.lstm(config) : tf.layers.gru(config);
};
const FOR_SEQUENCES: readonly Make[] = [
  recurrent,
  (drawn) => tf.layers.bidirectional({ layer: recurrent(drawn) as never, mergeMode: 'sum' }),
  ({ activation }) =>
    tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3, activation }) }),
  ({ size, strides, activation }) =>
    tf.layers.conv1d({ filters: 3, kernelSize: size, strides, activation }),
  ({ size, padding }) => tf.layers.maxPooling1d({ poolSize: size, strides: 1, padding }),
  () => tf.layers.spatialDropout1d({ rate: 0.4 }),
];

interface Plan {
  /** The shape of an example. */
  readonly shape: number[];
  readonly steps: readonly {
    readonly make: Make;
    readonly drawn: Settings;
    /** What comes of it is read several times, and what it reads as well where the shape stays. */
    readonly joined: boolean;
  }[];
}

const planned = (shape: number[], makes: readonly Make[]): fc.Arbitrary<Plan> =>
  fc.record({
    shape: fc.constant(shape),
    steps: fc.array(
      fc.record({ make: fc.constantFrom(...makes), drawn: settings, joined: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    ),
  });

function build({ shape, steps }: Plan): tf.LayersModel {
  const inputs = tf.input({ shape });
  let x = inputs;
  for (const { make, drawn, joined } of steps) {
    const before = x;
    x = make(drawn).apply(x) as tf.SymbolicTensor;
    if (!joined) continue;
    const shared = tf.layers.activation({ activation: 'sigmoid' });
    const squashed = (of: tf.SymbolicTensor) => shared.apply(of) as tf.SymbolicTensor;
    const stays = x.shape.join() === before.shape.join();
    const terms = [...(stays ? [before] : []), x, squashed(x), squashed(squashed(x))];
    x = tf.layers.add().apply(terms) as tf.SymbolicTensor;
  }
  if (shape.length > 1) x = tf.layers.flatten().apply(x) as tf.SymbolicTensor;
  const outputs = tf.layers.dense({ units: 4, activation: 'softmax' }).apply(x);
  return tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
}

/** As one: a gradient that is nothing but rounding is small beside the others. */
const together = (values: ParameterValues): ParameterValues => ({
  all: Float32Array.from(Object.values(values).flatMap((each) => [...each])),
});

describe('a graph gives what single operations give, whatever tfjs layers it is of:', () => {
  for (const [what, plans] of Object.entries({
    'of images': planned([16, 16, 2], [...FOR_ALL, ...FOR_IMAGES, ...FOR_IMAGES]),
    'of sequences': planned([5, 3], [...FOR_ALL, ...FOR_SEQUENCES]),
    'of vectors': planned([6], FOR_ALL),
  }))
    it(what, () =>
      fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          const options = {
            model: () => build(plan),
            loss: 'sparseCategoricalCrossentropy',
            metrics: ['accuracy'],
          } as const;
          const [single, graph] = [await open({ ...options, graph: false }), await open(options)];
          const initial = await single.initialize(3);
          const before = tf.node.getNumOfSavedModels();
          for (const [step, n] of [3, 2, 3].entries()) {
            // What was captured was captured with other values.
            const scaled = (values: Float32Array) => values.map((each) => each * (1 - step / 8));
            const weights = Object.fromEntries(
              Object.entries(initial).map(([name, values]) => [name, scaled(values)]),
            );
            const { x, y } = classified(n, plan.shape, 4);
            const batch: Batch = { x: { ...x!, data: scaled(x!.data as Float32Array) }, y: y! };
            const expected = await gradient(single, weights, batch, { step });
            const actual = await gradient(graph, weights, batch, { step });
            assertClose(together(actual.gradient), together(expected.gradient), 1e-4);
            assert.ok(Math.abs(actual.lossSum - expected.lossSum) < 1e-4 * expected.lossSum);
            assert.deepEqual(actual.metrics, expected.metrics);
            assert.deepEqual(await gradient(graph, weights, batch, { step }), actual);
          }
          assert.equal(tf.node.getNumOfSavedModels(), before + 2);
          await single.close?.();
          await graph.close?.();
        }),
        { numRuns: 6, seed: 1 },
      ),
    );
});
