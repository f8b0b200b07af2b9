import { TuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { zipSync } from 'fflate';
import { builtWith } from '../export/built-with.js';
import { stableTopology } from '../export/export-layers-model.js';
import { allParts, type BuiltModel } from '../model/build-model.js';
import type { ModelLike } from '../tfjs/layers-internals.js';
import { checkMaskedSteps } from './masked-steps.js';
import { modelConfig, type SerializedLayer } from './model-config.js';
import { weightPaths } from './weight-paths.js';
import { hdf5File } from './weights-file.js';

/** The Keras by whose source the file is written. */
const KERAS_VERSION = '3.15.1';

/** The earliest that a zip file knows: when it was written is of no interest. */
const NO_TIME = new Date(1980, 0, 1);

/**
 * The content of a `.keras` file, which `keras.saving.load_model` of Keras 3 reads. Shared weights are
 * written in full; first values, loss and optimizer are not in it.
 *
 * @param program made by `defineTraining` from a `tf.LayersModel`
 * @param values the stored parameters, by name
 * @throws TuttiError BAD_PROGRAM for another kind of program, or naming a layer that Keras 3 does not
 *   have, or not so
 */
export async function kerasModel(program: Program, values: ParameterValues): Promise<Uint8Array> {
  const { built, weights } = builtWith(program, values);
  try {
    const config = configOf(built);
    const paths = weightPaths(built.model);
    const placed = [...built.weights].map(([variable, name], at) => {
      const path = paths.get(variable);
      if (path === undefined) throw unplaced(name);
      return { path, shape: variable.shape, values: weights[at]! };
    });
    const files = {
      'metadata.json': json({ keras_version: KERAS_VERSION, date_saved: '1980-01-01@00:00:00' }),
      'config.json': json(config),
      // Unnamed wait: it computes, and awaits nobody.
      'model.weights.h5': await hdf5File(placed),
    };
    return zipSync(files, { level: 0, mtime: NO_TIME });
  } finally {
    built.dispose();
  }
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

function configOf(built: BuiltModel) {
  const { topology, names } = stableTopology(built);
  checkMaskedSteps(built.model, names);
  const all = [built.model, ...allParts(built.model)];
  const models = new Map(all.map((each) => [names.get(each.name) ?? each.name, each as ModelLike]));
  return modelConfig(topology as SerializedLayer, (name) => models.get(name)!.inputs[0]!);
}

function unplaced(name: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', `Keras has no place for the weight "${name}"`, {
    remedy: 'Export another --format: tfjs, graph and safetensors have every weight.',
  });
}
