import { codebook, pruned, type SharingRule } from '@tutti/parameters';
import { TuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { builtWith } from '../export/built-with.js';
import type { LayersModelFactory } from '../model/build-model.js';
import { nameWeights } from '../model/weight-names.js';
import { pretrained } from '../sharing/pretrained.js';
import { tf } from '../tf.js';
import type { ModelLike } from '../tfjs/layers-internals.js';
import { defineTraining, type TrainingProgram } from '../training/training.js';

/** A rule of a compressed program, as data: which weight, and what is left of it. */
export type CompressionRule =
  | { readonly kind: 'pruned'; readonly weight: string; readonly ratio: number }
  | { readonly kind: 'codebook'; readonly weight: string; readonly values: number };

export interface TrainedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The weights of a trained program in full, in the order of its model. */
export function trainedWeights(program: Program, values: ParameterValues): TrainedWeight[] {
  const { built, weights } = builtWith(program, values);
  try {
    return [...built.weights].map(([{ shape }, name], at) => ({
      name,
      shape: [...shape],
      values: weights[at]!,
    }));
  } finally {
    built.dispose();
  }
}

/**
 * The same program, which begins with trained weights and stores less of some of them.
 * @param path a safetensors file of all weights, in full
 */
export async function continued(
  program: Program,
  path: string,
  rules: readonly CompressionRule[],
): Promise<TrainingProgram> {
  const { training } = program as Partial<TrainingProgram>;
  if (training === undefined || typeof training.model !== 'function')
    throw new TuttiError('BAD_PROGRAM', 'Only a program with a tf.LayersModel can be compressed', {
      remedy: 'Let `model` be a function that builds one.',
    });
  const from = await pretrained(path);
  const inOrder = Object.values(from);
  const build = training.model as LayersModelFactory;
  const sharing = rules.map((rule): SharingRule => {
    const { weight } = rule;
    if (rule.kind === 'pruned') return pruned(weight, { ratio: rule.ratio, from });
    return codebook(weight, { values: rule.values, from });
  });
  return defineTraining({
    ...training,
    sharing: [...(training.sharing ?? []), ...sharing],
    model() {
      const model = build();
      const variables = [...nameWeights(model as unknown as ModelLike).keys()];
      for (const [at, variable] of variables.entries())
        variable.write(tf.tensor(inOrder[at]!, [...variable.shape]));
      return model;
    },
  });
}
