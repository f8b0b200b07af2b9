import { rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expand, resolveSharing } from '@tutti/parameters';
import { createRandom, ensureFolder, TuttiError, toTuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { tf } from '../tf.js';
import { tidied } from '../training/tidied.js';
import type { TrainingProgram } from '../training/training.js';
import type { TrainingOptions } from '../training/training-options.js';
import { buildModel } from './build-model.js';
import { renamePath, renameStrings, stableLayerNames } from './stable-artifacts.js';
import { nameWeights } from './weight-names.js';

/**
 * Writes `model.json` and `weights.bin` into `directory`, as `tf.loadLayersModel` and Keras'
 * converter (`tensorflowjs_converter --input_format tfjs_layers_model`) read them. Shared weights
 * are written in full.
 *
 * @param program made by `defineTraining` from a `tf.LayersModel`
 * @param values the stored parameters, by name
 * @returns the path of `model.json`
 * @throws TuttiError BAD_PROGRAM for another kind of program, STORAGE if a file cannot be written
 */
export async function exportLayersModel(
  program: Program,
  values: ParameterValues,
  directory: string,
): Promise<string> {
  const artifacts = await layersModelArtifacts(program, values);
  const modelPath = resolve(directory, 'model.json');
  const write = async (name: string, content: string | Uint8Array) => {
    const path = join(directory, name);
    await writeFile(`${path}.partial`, content);
    await rename(`${path}.partial`, path);
  };
  try {
    await ensureFolder(directory);
    await write('weights.bin', artifacts.weights);
    await write('model.json', JSON.stringify(artifacts.model));
  } catch (error) {
    throw toTuttiError(
      error,
      'STORAGE',
      `The model could not be written to ${resolve(directory)}`,
      'Choose a folder that is writable and has room.',
    );
  }
  return modelPath;
}

/** The content of the two files. */
async function layersModelArtifacts(
  program: Program,
  values: ParameterValues,
): Promise<{ model: object; weights: Uint8Array }> {
  const { training: options } = program as Partial<TrainingProgram>;
  if (options === undefined || typeof options.model !== 'function')
    throw new TuttiError(
      'BAD_PROGRAM',
      `The program${program.name === undefined ? '' : ` "${program.name}"`} has no tf.LayersModel to export`,
      { remedy: 'Export its parameters as safetensors instead.' },
    );
  const model = tidied(() => modelWithWeights(options, options.model as never, values));
  try {
    const saved: { artifacts?: Artifacts } = {};
    await (model as unknown as tf.LayersModel).save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved.artifacts = artifacts as unknown as Artifacts;
        return {
          modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
        };
      }),
    );
    const { modelTopology, weightSpecs, weightData, format, generatedBy } = saved.artifacts!;
    const names = stableLayerNames(model);
    return {
      model: {
        modelTopology: renameStrings(modelTopology, names),
        weightsManifest: [
          {
            paths: ['weights.bin'],
            weights: weightSpecs.map((spec) => ({ ...spec, name: renamePath(spec.name, names) })),
          },
        ],
        format,
        generatedBy,
        convertedBy: null,
      },
      weights: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
    };
  } finally {
    model.dispose();
  }
}

function modelWithWeights(
  options: TrainingOptions,
  factory: () => tf.LayersModel,
  values: ParameterValues,
) {
  const model = buildModel(factory, createRandom('structure'));
  const names = nameWeights(model);
  const { maps } = resolveSharing(
    [...names].map(([{ shape }, name]) => ({ name, shape })),
    options.sharing,
  );
  [...names.keys()].forEach((variable, at) => {
    const map = maps[at]!;
    const stored = values[map.parameter];
    if (stored === undefined)
      throw new TuttiError('BAD_PROGRAM', `There are no values for "${map.parameter}"`, {
        remedy: 'Give the stored parameters of this program.',
      });
    variable.write(tf.tensor(expand(map, stored), [...variable.shape]));
  });
  return model;
}

interface Artifacts {
  readonly modelTopology: unknown;
  readonly weightSpecs: readonly { readonly name: string }[];
  readonly weightData: ArrayBuffer | ArrayBuffer[];
  readonly format: string;
  readonly generatedBy: string;
}
