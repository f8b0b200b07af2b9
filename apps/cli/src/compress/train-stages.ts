import type { CompressionRule } from '@tutti/tensorflow';
import { evaluateTrained } from '../programs/evaluation.js';
import { accuracyOf } from './accuracy.js';
import { type Densities, inRound, type Prunable, parseKeep } from './densities.js';
import { searchDensities } from './search.js';
import { percentage, type Stage } from './stage-table.js';
import {
  type Compression,
  createStageTrainer,
  type StageInit,
  type StageTrainer,
  type TrainedStage,
} from './train-stage.js';

/** The stage that was reached, and all that were trained on the way to it. */
interface Trained {
  readonly last: TrainedStage;
  readonly stages: readonly Stage[];
}

/**
 * Takes a trained program through its stages: weights are pruned and trained again, in rounds; those that are left
 * are clustered, and the centroids trained.
 */
export async function trainStages(compression: Compression): Promise<Trained> {
  const trainer = createStageTrainer(compression);
  // Unnamed wait: what it awaits names its own waits.
  const dense = await denseStage(compression);
  const prunable = prunableOf(compression);
  const { settings, renderer } = compression;
  const { keep, minAccuracy, values } = settings;
  if (minAccuracy !== undefined && dense.stage.accuracy < minAccuracy)
    renderer.note(
      `The accuracy of the checkpoint itself is ${percentage(dense.stage.accuracy)}, less than --min-accuracy ${minAccuracy}: train longer before, if this does not reach it.`,
    );
  const clustered = (before: TrainedStage) => codebookStage(before, prunable, values);
  // Unnamed wait: what it awaits names its own waits.
  const pruned = await (keep === undefined
    ? pruneBySearch(compression, trainer, dense, prunable, clustered)
    : pruneInRounds(compression, trainer, dense, parseKeep(keep, prunable)));
  // Unnamed wait: what it awaits names its own waits.
  const last = await trainer.train(clustered(pruned.last));
  return { last, stages: [dense.stage, ...pruned.stages, last.stage] };
}

/** The program as it was trained. */
async function denseStage({ path, trained, context }: Compression): Promise<TrainedStage> {
  // Unnamed wait: TensorFlow is loaded already, since the program has used it.
  const { edgeModel, trainedWeights } = await import('@tutti/tensorflow');
  const { program, values, saved } = trained;
  // Unnamed wait: what it awaits names its own waits.
  const { metrics } = await evaluateTrained(path, trained, context);
  const accuracy = accuracyOf(metrics);
  const stored = saved.parameters.reduce((sum, each) => sum + each.values.length, 0);
  const stage = {
    stage: 'dense',
    stored,
    wireBytesPerStep: 8 * stored,
    bytes: edgeModel(program, values).bytes.length,
    accuracy,
    digest: saved.digest,
  };
  return { program, values, weights: trainedWeights(program, values), stage };
}

/** Kernels that nothing is shared in yet; of others it is said that they stay. */
function prunableOf({ trained, renderer }: Compression): readonly Prunable[] {
  const { weights } = trained.computation.sharing!.inspect(0);
  const kernels = weights.filter(({ shape }) => shape.length > 1);
  for (const { weight, kind } of kernels)
    if (kind !== 'none') renderer.note(`${weight} stays as it is, since it is ${kind} already.`);
  return kernels
    .filter(({ kind }) => kind === 'none')
    .map(({ weight, elements }) => ({ name: weight, size: elements }));
}

const prunedStage = (name: string, densities: Densities, before: TrainedStage): StageInit => ({
  kind: 'pruned',
  name,
  rules: Object.entries(densities).map(([weight, ratio]) => ({ kind: 'pruned', weight, ratio })),
  before,
});

/** As many values for each weight, or one for each element that is left of it. */
function codebookStage(
  before: TrainedStage,
  prunable: readonly Prunable[],
  values: number,
): StageInit {
  const rules = before.weights
    .filter(({ name }) => prunable.some((each) => each.name === name))
    .map((weight): CompressionRule => {
      const kept = weight.values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
      return { kind: 'codebook', weight: weight.name, values: Math.min(values, kept) };
    });
  return { kind: 'codebook', name: `codebook of ${values}`, rules, before };
}

/** To the densities that `--keep` names, by the same factor in each round. */
async function pruneInRounds(
  { settings: { rounds } }: Compression,
  trainer: StageTrainer,
  dense: TrainedStage,
  target: Densities,
): Promise<Trained> {
  const stages: Stage[] = [];
  let last = dense;
  for (let round = 1; round <= rounds; round++) {
    const name = `pruned ${round} of ${rounds}`;
    // Unnamed wait: what it awaits names its own waits.
    last = await trainer.train(prunedStage(name, inRound(target, round, rounds), last));
    stages.push(last.stage);
  }
  return { last, stages };
}

/** As far as the bounds want it. */
function pruneBySearch(
  { settings: { maxBytes, minAccuracy } }: Compression,
  trainer: StageTrainer,
  dense: TrainedStage,
  prunable: readonly Prunable[],
  clustered: (before: TrainedStage) => StageInit,
): Promise<Trained> {
  return searchDensities({
    prunable,
    from: dense,
    leastAccuracy: minAccuracy ?? dense.stage.accuracy - 0.01,
    isSmall: async (of) =>
      // Unnamed wait: what it awaits names its own waits.
      maxBytes !== undefined && (await trainer.firstBytes(clustered(of))) <= maxBytes,
    prune: (name, densities, before) => trainer.train(prunedStage(name, densities, before)),
  });
}
