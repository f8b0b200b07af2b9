import { resolve } from 'node:path';
import { programError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import type { BuiltModel } from '../model/build-model.js';
import { tf } from '../tf.js';
import { overriding } from '../tfjs/overrides.js';
import { builtWith } from './built-with.js';
import { checkExport } from './check-export.js';
import { completeConfigs } from './complete-configs.js';
import { renamePath, renameStrings, stableLayerNames } from './stable-artifacts.js';
import { writeTried } from './write-tried.js';

/**
 * Writes `model.json` and `weights.bin` into `directory`, as `tf.loadLayersModel` and Keras'
 * converter (`tensorflowjs_converter --input_format tfjs_layers_model`) read them. Shared weights
 * are written in full. The files get their names when a model was loaded from them that has the
 * same weights and predicts the same.
 *
 * @param program made by `defineTraining` from a `tf.LayersModel`
 * @param values the stored parameters, by name
 * @returns the path of `model.json`
 * @throws TuttiError BAD_PROGRAM for another kind of program, or one whose model cannot be loaded
 *   again; STORAGE if a file cannot be written
 */
export async function exportLayersModel(
  program: Program,
  values: ParameterValues,
  directory: string,
): Promise<string> {
  const { built, weights } = builtWith(program, values);
  try {
    await writeTried(directory, layersModelFiles(built, weights), (pathOf) =>
      checkExport(built, weights, pathOf),
    );
  } finally {
    built.dispose();
  }
  return resolve(directory, 'model.json');
}

/** The configuration of a model as tfjs writes it, with the names that its layers have in files. */
export function stableTopology({ model, isGiven }: BuiltModel): {
  readonly topology: unknown;
  readonly names: ReadonlyMap<string, string>;
} {
  const names = stableLayerNames(model, isGiven);
  const topology = ofProgram('getConfig()', () =>
    overriding(completeConfigs(model), () =>
      (model as unknown as tf.LayersModel).toJSON(null, false),
    ),
  );
  return { topology: renameStrings(topology, names), names };
}

function ofProgram<T>(where: string, task: () => T): T {
  try {
    return task();
  } catch (thrown) {
    throw programError(thrown, where);
  }
}

/** As `model.save` writes them, which reads the weights of the model. */
function layersModelFiles(
  built: BuiltModel,
  values: readonly Float32Array[],
): [name: string, content: string | Uint8Array][] {
  const { model, weights } = built;
  const { topology, names } = stableTopology(built);
  const places = new Map([...weights.keys()].map((variable, at) => [variable, at]));
  const json = {
    modelTopology: topology,
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: model.weights.map(({ originalName, shape, dtype }) => ({
          name: renamePath(originalName, names),
          shape,
          dtype,
        })),
      },
    ],
    format: 'layers-model',
    generatedBy: `TensorFlow.js tfjs-layers v${tf.version_layers}`,
    convertedBy: null,
  };
  const bytes = model.weights.map((variable) => {
    const { buffer, byteOffset, byteLength } = values[places.get(variable)!]!;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return [
    ['weights.bin', Buffer.concat(bytes)],
    ['model.json', JSON.stringify(json)],
  ];
}
