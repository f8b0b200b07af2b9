import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportLayersModel } from '../export/export-layers-model.js';
import {
  drawnValues,
  type Given,
  inputsFor,
  MODELS,
  predicted,
  programOf,
} from '../model/testing.js';
import { training } from '../testing.js';
import { tf } from '../tf.js';
import { kerasModel } from './keras-model.js';
import { hasKeras, keras } from './testing.js';

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

/** What Keras 3 does not have, or not so. */
const REFUSED: Record<string, RegExp> = {
  bidirectional: /"bidirectional_1" \(Bidirectional\) has a layer that goes backwards/,
  centerCrop: /"center_crop_1" \(CenterCrop\) crops its input, too/,
  'upSampling2d 2': /\(UpSampling2D\) interpolates, which Keras 3 does between other points/,
};

describe('a .keras file', function () {
  this.timeout(1_200_000);
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

  const embedding = () =>
    tf.layers.embedding({ inputDim: 5, outputDim: 2, inputLength: 4, maskZero: true });
  const average = () => tf.layers.globalAveragePooling1d({ name: 'mean' });
  const between = { dropout: () => tf.layers.dropout({ rate: 0.1 }) };
  for (const [where, layers] of Object.entries({
    'behind an embedding': () => [embedding(), between.dropout(), average()],
    'of a model within the model, behind a recurrent layer': () => [
      embedding(),
      tf.layers.gru({ units: 2, returnSequences: true }),
      tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4, 2] }), average()] }),
    ],
    'behind a model within the model': () => [
      tf.sequential({ layers: [embedding()] }),
      between.dropout(),
      average(),
    ],
  }))
    it(`is refused for an average that Keras takes of fewer steps, ${where}`, async () => {
      const loss = 'meanSquaredError';
      const program = training({ model: () => tf.sequential({ layers: layers() }), loss });
      const message = /"mean" \(GlobalAveragePooling1D\) averages over masked steps, too/;
      await assert.rejects(kerasModel(program, await drawnValues(program)), { message });
    });

  it('is refused where steps that count are put beside others that do not', async () => {
    const side = (masked: boolean) => () => {
      const input = tf.input({ shape: [4, 3] });
      const steps = tf.layers.masking().apply(input) as tf.SymbolicTensor;
      const other = tf.layers.dense({ units: 2 }).apply(masked ? steps : input);
      const joined = tf.layers.concatenate().apply([steps, other as tf.SymbolicTensor]);
      const outputs = tf.layers.gru({ units: 2 }).apply(joined) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs });
    };
    const loss = 'meanSquaredError';
    const [same, other] = [true, false].map((each) => training({ model: side(each), loss }));
    await kerasModel(same!, await drawnValues(same!));
    await assert.rejects(kerasModel(other!, await drawnValues(other!)), {
      message:
        /^Layer "concatenate_1" \(Concatenate\) puts steps with different masks side by side/,
    });
  });

  it('is written for layers that read themselves, and for many ways from one to another', async () => {
    const model = () => {
      const input = tf.input({ shape: [4, 3] });
      const steps = tf.layers.masking().apply(input) as tf.SymbolicTensor;
      const shared = tf.layers.dense({ units: 3 });
      let x = both().apply(shared.apply(shared.apply(steps))) as tf.SymbolicTensor;
      for (let depth = 0; depth < 40; depth++)
        x = tf.layers.add().apply([x, tf.layers.reLU().apply(x) as tf.SymbolicTensor]) as never;
      return tf.model({ inputs: input, outputs: x });
    };
    const program = training({ model, loss: 'meanSquaredError' });
    await kerasModel(program, await drawnValues(program));
  });

  const both = () =>
    tf.layers.bidirectional({
      layer: tf.layers.gru({ units: 2, returnSequences: true }) as never,
      name: 'both',
    });
  for (const [what, after, refused] of [
    ['made into one vector', () => [tf.layers.flatten()], true],
    ['pooled', () => [tf.layers.dropout({ rate: 0 }), tf.layers.maxPooling1d({})], true],
    [
      'read by a recurrent layer',
      () => [tf.layers.dense({ units: 2 }), tf.layers.lstm({ units: 2 })],
    ],
    ['the result', () => [tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }) })]],
  ] as [string, () => tf.layers.Layer[], boolean?][])
    it(`is ${refused ? 'refused' : 'written'} where masked steps of both directions are ${what}`, async () => {
      const layers = () => [embedding(), both(), ...after()];
      const loss = 'meanSquaredError';
      const program = training({ model: () => tf.sequential({ layers: layers() }), loss });
      const written = kerasModel(program, await drawnValues(program));
      if (!refused) await written;
      else
        await assert.rejects(written, {
          message: /"both" \(Bidirectional\) gives something for masked steps that is read/,
        });
    });

  for (const [name, message] of Object.entries(REFUSED))
    it(`is refused, with the layer and why: ${name}`, async () => {
      const program = programOf(name);
      const remedy = /another --format/;
      await assert.rejects(kerasModel(program, await drawnValues(program)), { message, remedy });
    });
});
