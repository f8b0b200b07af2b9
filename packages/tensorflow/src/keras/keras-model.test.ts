import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashed } from '@tutti/parameters';
import { createRandom } from '@tutti/runtime';
import { exportLayersModel } from '../model/export-layers-model.js';
import { layerCases, modelOf, type Shape } from '../model/testing.js';
import { training } from '../testing.js';
import { tf } from '../tf.js';
import type { TrainingOptions } from '../training/training-options.js';
import { kerasModel } from './keras-model.js';
import { drawnValues, hasKeras, keras } from './testing.js';

/** Loads each file, and prints as JSON what it predicts, or why it does not. */
const READER = `
import json, sys
import keras, numpy
found = {}
for name, inputs in json.load(open(sys.argv[1] + '/inputs.json')).items():
    try:
        model = keras.saving.load_model(sys.argv[1] + '/' + name + '.keras')
        given = [numpy.array(each['values'], 'float32').reshape(each['shape']) for each in inputs]
        outputs = model(given[0] if len(given) == 1 else given, training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        found[name] = [numpy.asarray(each).ravel().tolist() for each in outputs]
    except Exception as error:
        found[name] = type(error).__name__ + ': ' + str(error)
print(json.dumps(found))
`;

const { dense } = tf.layers;
const ACTIVATIONS = [
  ...['elu', 'gelu', 'hardSigmoid', 'linear', 'mish', 'relu', 'relu6', 'selu', 'sigmoid'],
  ...['softmax', 'softplus', 'softsign', 'swish', 'tanh', 'logSoftmax'],
] as const;

/** Models by what is peculiar to them, with the shapes of their inputs. */
const MODELS: Record<string, [Shape[], () => tf.LayersModel, Partial<TrainingOptions>?]> = {
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

/** What Keras 3 does not have, or not so. */
const REFUSED: Record<string, RegExp> = {
  bidirectional: /"bidirectional_1" \(Bidirectional\) has a layer that goes backwards/,
  centerCrop: /"center_crop_1" \(CenterCrop\) crops its input, too/,
  'upSampling2d 2': /\(UpSampling2D\) interpolates, which Keras 3 does between other points/,
};

describe('a .keras file', function () {
  this.timeout(600_000);
  let directory: string;
  let found: Record<string, unknown>;
  const wanted = new Map<string, number[][]>();

  before(async function () {
    if (!(await hasKeras())) {
      // In CI it must be there, so that this does not go untested.
      assert.notEqual(process.env.CI, 'true', 'python3 has no keras with jax');
      console.warn('      skipped: python3 has no keras with jax (KERAS_PYTHONPATH)');
      this.skip();
    }
    directory = await mkdtemp(join(tmpdir(), 'tutti-keras-'));
    const given: Record<string, Given[]> = {};
    for (const name of Object.keys(MODELS).filter((each) => !(each in REFUSED))) {
      const program = programOf(name);
      const values = await drawnValues(program);
      await writeFile(join(directory, `${name}.keras`), await kerasModel(program, values));
      given[name] = inputsFor(MODELS[name]![0]);
      const path = await exportLayersModel(program, values, join(directory, name));
      wanted.set(name, await predicted(path, given[name]));
    }
    await writeFile(join(directory, 'inputs.json'), JSON.stringify(given));
    found = JSON.parse(await keras('-c', READER, directory));
  });
  after(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  for (const name of Object.keys(MODELS).filter((each) => !(each in REFUSED)))
    it(`is loaded by Keras and predicts the same: ${name}`, () => {
      const [numbers, outputs] = [found[name], wanted.get(name)!];
      assert.ok(Array.isArray(numbers), `${numbers}`);
      assert.deepEqual(
        numbers.map(({ length }) => length),
        outputs.map(({ length }) => length),
      );
      const scale = Math.max(1, ...outputs.flat().map(Math.abs));
      outputs.flat().forEach((value, at) => {
        assert.ok(Math.abs(value - numbers.flat()[at]) <= 2e-6 * scale, `${name}: output ${at}`);
      });
    });

  for (const [name, message] of Object.entries(REFUSED))
    it(`is refused, with the layer and why: ${name}`, async () => {
      const program = programOf(name);
      const remedy = /another --format/;
      await assert.rejects(kerasModel(program, await drawnValues(program)), { message, remedy });
    });
});

interface Given {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function programOf(name: string) {
  const [, model, options] = MODELS[name]!;
  return training({ model, loss: (_yTrue, yPred) => yPred.flatten(), ...options });
}

function inputsFor(shapes: Shape[]): Given[] {
  return shapes.map((extents, at) => {
    const random = createRandom('inputs', at);
    const shape = [2, ...extents.map((extent) => extent ?? 3)];
    const length = shape.reduce((a, b) => a * b);
    return { shape, values: Array.from({ length }, () => Math.fround(2 * random.next() - 1)) };
  });
}

/** By tfjs, from its own format, so by nothing that knows of Keras. */
async function predicted(path: string, inputs: readonly Given[]): Promise<number[][]> {
  const model = await tf.loadLayersModel(`file://${path}`);
  const tensors = inputs.map(({ values, shape }) => tf.tensor([...values], [...shape]));
  const outputs = model.apply(tensors.length === 1 ? tensors[0]! : tensors) as tf.Tensor;
  return [outputs].flat().map((each) => [...each.dataSync()]);
}
