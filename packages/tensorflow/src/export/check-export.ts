import { readFile } from 'node:fs/promises';
import { createRandom, TuttiError } from '@tutti/runtime';
import type { BuiltModel } from '../model/build-model.js';
import { tf } from '../tf.js';
import type { LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import { overriding } from '../tfjs/overrides.js';
import { withRandom } from '../tfjs/seeded.js';

/**
 * Loads the model from its files, as `tf.loadLayersModel` does, and compares: every weight, and the
 * predictions for an example of random numbers.
 * @param values of the weights of the built model
 * @param pathOf where the file is that will have this name
 * @throws TuttiError BAD_PROGRAM if it cannot be loaded, or is another model then
 */
export async function checkExport(
  built: BuiltModel,
  values: readonly Float32Array[],
  pathOf: (name: string) => string,
): Promise<void> {
  const loaded = await load(pathOf);
  try {
    tf.tidy(() => {
      const names = [...built.weights.values()];
      const places = new Map([...built.weights.keys()].map((variable, at) => [variable, at]));
      const wanted = built.model.weights.map((variable) => places.get(variable)!);
      if (loaded.weights.length !== wanted.length)
        throw notTheSame(`has ${loaded.weights.length} weights instead of ${wanted.length}`);
      loaded.weights.forEach((variable, i) => {
        const at = wanted[i]!;
        if (!sameBits(variable.read().dataSync() as Float32Array, values[at]!))
          throw notTheSame(`has another weight "${names[at]}"`);
      });
      comparePredictions(built, values, loaded);
    });
  } finally {
    for (const { val } of loaded.weights) if (!val.isDisposed) val.dispose();
  }
}

async function load(pathOf: (name: string) => string): Promise<ModelLike> {
  const { modelTopology, weightsManifest } = JSON.parse(
    await readFile(pathOf('model.json'), 'utf8'),
  );
  const bytes = await readFile(pathOf('weights.bin'));
  try {
    const model = await tf.loadLayersModel(
      tf.io.fromMemory({
        modelTopology,
        weightSpecs: weightsManifest[0].weights,
        weightData: Uint8Array.from(bytes).buffer,
      }),
    );
    return model as unknown as ModelLike;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TuttiError('BAD_PROGRAM', `The exported model cannot be loaded: ${reason}`, {
      remedy: REMEDY,
      cause,
    });
  }
}

/** Its weights may be the same though it is another one: without an activation, say. */
function comparePredictions(
  { model, weights }: BuiltModel,
  values: readonly Float32Array[],
  loaded: ModelLike,
): void {
  const tensors = [...weights.keys()].map((variable, at): [LayerVariable, tf.Tensor] => [
    variable,
    tf.tensor(values[at]!, [...variable.shape]),
  ]);
  const overrides = tensors.map(([target, tensor]) => ({
    target,
    property: 'read',
    value: () => tensor,
  }));
  const sample = withRandom(createRandom('sample'), () => sampleFor(model));
  const predict = (which: ModelLike) => {
    const outputs = which.apply(sample.length === 1 ? sample[0]! : sample, { training: false });
    return [outputs].flat().flatMap((output) => [...output.dataSync()]);
  };
  let expected: ArrayLike<number>;
  try {
    expected = overriding(overrides, () => predict(model));
  } catch (cause) {
    if (cause instanceof Error && /neither initialState or constants/.test(cause.message))
      throw new TuttiError(
        'BAD_PROGRAM',
        'tfjs loads the model and cannot compute it: after a layer with an initial state, it lets no recurrent one follow',
        { remedy: 'Export another --format: keras and safetensors do without it.', cause },
      );
    // Inputs of any size may still not be of this one.
    return;
  }
  const found = predict(loaded);
  const scale = Array.from(expected).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    if (difference > 1e-4 * scale)
      throw notTheSame(`predicts ${found[i]} where the trained one predicts ${expected[i]}`);
  }
}

/** An extent that is not fixed. */
const ANY_EXTENT = 16;

function sampleFor({ inputs }: ModelLike): tf.Tensor[] {
  return inputs.map(({ shape: [count, ...shape], dtype }) =>
    // An embedding reads them as zeros, which are in every vocabulary.
    tf
      .randomUniform([count ?? 2, ...shape.map((extent) => extent ?? ANY_EXTENT)], -1, 1)
      .cast(dtype),
  );
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return x!.equals(y!);
}

const REMEDY =
  'An own layer needs tf.serialization.registerClass(Class), a static className and a getConfig() with all that its constructor takes; layers of one name in different models need different ones. `tutti export --format safetensors` writes the weights alone.';

function notTheSame(what: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', `The exported model, loaded again, ${what}`, {
    remedy: REMEDY,
  });
}
