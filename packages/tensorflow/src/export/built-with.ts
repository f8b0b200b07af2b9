import { resolveSharing, type Sharing } from '@tutti/parameters';
import { createRandom, TuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { type BuiltModel, buildModel, type LayersModelFactory } from '../model/build-model.js';
import { initialValues, weightSpecs } from '../model/layers-model.js';
import { tidied } from '../tfjs/tidied.js';
import type { TrainingProgram } from '../training/training.js';
import type { TrainingOptions } from '../training/training-options.js';

/**
 * The model of a program, and the values of its weights, in their order, with what they are made of. Who calls it
 * disposes of the model.
 * @param values the stored parameters, by name
 * @throws TuttiError BAD_PROGRAM for a program whose model is no `tf.LayersModel`
 */
export function builtWith(
  program: Program,
  values: ParameterValues,
): {
  readonly built: BuiltModel;
  readonly weights: Float32Array[];
  readonly sharing: Sharing;
} {
  const { training: options } = program as Partial<TrainingProgram>;
  if (options === undefined || typeof options.model !== 'function')
    throw new TuttiError(
      'BAD_PROGRAM',
      `The program${program.name === undefined ? '' : ` "${program.name}"`} has no tf.LayersModel to export`,
      { remedy: 'Export its parameters as safetensors instead.' },
    );
  const built = tidied(() => buildModel(options.model as never, createRandom('structure')));
  try {
    const sharing = sharingOf(built, options, values);
    const weights = sharing.weights.map(({ weight }) =>
      Float32Array.from(sharing.expand(weight, values)),
    );
    return { built, weights, sharing };
  } catch (error) {
    built.dispose();
    throw error;
  }
}

/** @throws TuttiError BAD_PROGRAM where a stored parameter has no values */
function sharingOf(built: BuiltModel, options: TrainingOptions, values: ParameterValues): Sharing {
  const specs = weightSpecs(built);
  const sharing = resolveSharing(specs, options.sharing, () => {
    const random = createRandom('initialize', options.seed);
    const first = tidied(() => initialValues(options.model as LayersModelFactory, built, random));
    return Object.fromEntries(specs.map(({ name }, at) => [name, first[at]!]));
  });
  for (const { name } of sharing.parameters)
    if (values[name] === undefined)
      throw new TuttiError('BAD_PROGRAM', `There are no values for "${name}"`, {
        remedy: 'Give the stored parameters of this program.',
      });
  return sharing;
}
