import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { locateCheckpoint, readCheckpoint, readSafetensors } from '@tutti/checkpoint';
import { badCheckpoint } from '@tutti/checkpoint/internal';
import type { FirstWeights, JobPlan, ProgramDescription } from '@tutti/protocol';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import { resolvePlan } from '../plan/plan.js';
import { digestOf } from '../weights-digest.js';
import { type CheckpointFolderInit, directoryOf } from './checkpoint-folder.js';
import { fitWeights } from './fit-weights.js';
import { frozenIn } from './frozen-names.js';
import { modelFileAt, readLayersModelWeights } from './layers-model-weights.js';
import { resumeFrom } from './resume.js';
import { refuseOtherSharing } from './resume-point.js';
import type { Resume, ResumePoint } from './snapshot.js';

/**
 * Begins a new run with the weights of an earlier one: at step 0, with a fresh optimizer. All stored
 * parameters come from there, also those that are not trained. The program, its data and all settings
 * may be others, as long as the parameters are the same.
 * @param init.from `latest`, a checkpoint, a folder of them, a safetensors file, or the folder of a saved tf.LayersModel
 * @param init.runs the folder of runs that `latest` is looked for in
 * @param init.resume goes on with the run that began with these weights, if there is one in `directory`
 * @throws TuttiError BAD_CONFIG for `latest` with `resume`
 */
export function beginFrom(init: {
  readonly from: string;
  readonly runs: CheckpointFolderInit['directory'];
  readonly resume?: string | undefined;
  readonly directory: CheckpointFolderInit['directory'];
}): Resume {
  const { from, resume, directory } = init;
  if (from === 'latest' && resume !== undefined)
    throw new TuttiError('BAD_CONFIG', '--from latest does not go with --resume', {
      remedy:
        'Name the checkpoint with --from: once this run has written one, the latest is its own. Or leave --from out: a run that goes on knows what it began with.',
    });
  return async (request) => {
    const { description, settings, workers, servers } = request;
    const where = from === 'latest' ? directoryOf(init.runs, description.name) : from;
    // Unnamed wait: the caller races it.
    const { path, flat } = await readWeights(where, description);
    const firstWeights: FirstWeights = { digest: digestOf(flat), path: resolve(path) };
    if (resume !== undefined) {
      // Unnamed wait: the caller races it.
      const point = await resumeFrom(resume, directory, firstWeights)(request);
      if (point !== undefined) return point;
    }
    const plan = resolvePlan({
      ...{ description, settings, workers, firstWeights },
      ...(servers !== undefined && { servers }),
    });
    return startOf(plan, path, flat);
  };
}

/**
 * The same once more, for a run that has lost all that came of it.
 * @throws TuttiError BAD_CHECKPOINT if the weights are gone, or are others by now
 */
export async function beginAgain(
  plan: JobPlan,
  { path, digest }: FirstWeights,
): Promise<ResumePoint> {
  const again =
    'Bring it back as it was and begin the run again. With --checkpoint-every a run goes back to a checkpoint of its own.';
  let flat: Float32Array;
  try {
    // Unnamed wait: the caller races it.
    ({ flat } = await readWeights(path, plan));
  } catch (error) {
    if (!isTuttiError(error)) throw error;
    throw new TuttiError(
      error.code,
      `The run must go back to the weights that it began with. ${error.message}`,
      { remedy: again, cause: error, details: { ...error.details } },
    );
  }
  const now = digestOf(flat);
  if (now !== digest)
    throw badCheckpoint(
      path,
      `the run must go back to the weights that it began with, and these are others: their digest is ${now.slice(0, 12)} instead of ${digest.slice(0, 12)}`,
      again,
    );
  return startOf(plan, path, flat);
}

const SHARING_REMEDY =
  'Share the weights as that run did. To take the stored values as they are, name its weights.safetensors.';

/**
 * The stored parameters of a program, from a checkpoint, the latest in a folder of them, a safetensors
 * file, or a saved tf.LayersModel.
 * @throws TuttiError BAD_CHECKPOINT if they do not fit it
 */
export async function readWeights(
  path: string,
  { parameters, sharing }: Pick<ProgramDescription, 'parameters' | 'sharing'>,
): Promise<{ readonly path: string; readonly flat: Float32Array }> {
  // Unnamed wait: the caller races it.
  const model = await modelFileAt(path);
  if (model !== undefined) {
    // Unnamed wait: the caller races it.
    const tensors = await readLayersModelWeights(model, parameters);
    return { path: model, flat: fitWeights(model, tensors, parameters) };
  }
  // Unnamed wait: the caller races it.
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) {
    // Unnamed wait: the caller races it.
    const { tensors, metadata } = await readSafetensors(path);
    const frozen = frozenIn(metadata);
    const stored = tensors.filter(({ name }) => !frozen.has(name));
    return { path, flat: fitWeights(path, stored, parameters) };
  }
  // Unnamed wait: the caller races it.
  const folder = await locateCheckpoint(path);
  // Unnamed wait: the caller races it.
  const checkpoint = await readCheckpoint(folder);
  const flat = fitWeights(folder, checkpoint.parameters, parameters);
  // What is stored would stand for other weights.
  const { sharing: before } = checkpoint.manifest.plan;
  refuseOtherSharing(folder, before, sharing, SHARING_REMEDY);
  return { path: folder, flat };
}

function startOf(plan: JobPlan, path: string, flat: Float32Array): ResumePoint {
  const { slots, initialSlot } = createOptimizer(plan.optimizer);
  return {
    path,
    plan,
    job: undefined,
    step: 0,
    flat,
    slots: Array.from({ length: slots }, (_, at) =>
      new Float32Array(flat.length).fill(initialSlot(at)),
    ),
  };
}
