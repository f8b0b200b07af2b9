import { join } from 'node:path';
import { latestCheckpoints } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { runLocal } from '@tutti/launch';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import type { CompressionRule, TrainedWeight } from '@tutti/tensorflow';
import type { ParameterValues, Program } from '@tutti/worker';
import type { CliContext } from '../context.js';
import { defaultWorkers, thisMachine } from '../default-workers.js';
import { runsFolder } from '../folders.js';
import { interruptOf } from '../interruption.js';
import type { Output } from '../output.js';
import { roleSettings } from '../role-settings.js';
import type { TrainedProgram } from '../trained-program.js';
import { accuracyOf } from './accuracy.js';
import { stageOptimizer } from './stage-optimizer.js';
import { writeStageProgram } from './stage-program.js';
import type { Stage } from './stage-table.js';

/** A stage with the weights that it left. */
export interface TrainedStage {
  readonly stage: Stage;
  readonly weights: readonly TrainedWeight[];
  readonly program: Program;
  readonly values: ParameterValues;
}

/** What is to be trained: by which rules, from which weights. */
interface StageInit {
  readonly kind: CompressionRule['kind'];
  readonly name: string;
  readonly rules: readonly CompressionRule[];
  readonly before: TrainedStage;
}

/**
 * Trains stages of a compression, each as a run of the program with other sharing, in a folder that is named after
 * all that decides its result. So the same command takes up what an earlier one has done: stages that are
 * finished, and the checkpoint of the one that it was interrupted in.
 * @returns trains one
 */
export function stageTrainer(init: {
  readonly path: string;
  readonly settings: Settings;
  readonly trained: TrainedProgram;
  readonly context: CliContext;
  readonly renderer: Output['renderer'];
  readonly sizeOf: (program: Program, values: ParameterValues) => Uint8Array;
}): (stage: StageInit) => Promise<TrainedStage> {
  const { path, settings, trained, context, renderer, sizeOf } = init;
  const { program, hash, saved } = trained;
  const { shards } = saved.plan;
  const folder = `${runsFolder(program.name ?? 'program')}-compressed`;
  const interrupt = interruptOf(context, renderer);
  const { batchSize, epochs, steps, seed, learningRate } = settings;
  const optimizer = stageOptimizer(program.optimizer, lengthOf(settings, program));
  const job = { hash, shards, batchSize, epochs, steps, seed, learningRate, optimizer };

  return async ({ kind, name, rules, before }) => {
    // Unnamed wait: TensorFlow is loaded already, since the program has used it.
    const { continued, trainedWeights } = await import('@tutti/tensorflow');
    const { weights } = before;
    const tensorflow = import.meta.resolve('@tutti/tensorflow');
    // Unnamed wait: small files of this machine.
    const files = await writeStageProgram({
      ...{ folder, stage: kind, original: path, tensorflow, weights, rules, job },
    });
    const checkpointDir = join(files.folder, 'run');
    // Unnamed wait: a folder of this machine.
    const isBegun = (await latestCheckpoints(checkpointDir)).length > 0;
    renderer.note(`${name}: ${isBegun ? 'goes on in ' : ''}${files.path}`);
    const { result } = runLocal(files.path, {
      ...roleSettings(settings),
      optimizer,
      shards,
      workers: settings.workers ?? defaultWorkers(thisMachine(), shards),
      checkpointDir,
      // The program of each stage has the weights of the one before.
      from: undefined,
      ...(isBegun && { resume: 'latest' }),
      signal: context.signal,
      interrupt,
      onEvent: renderer,
    });
    // Unnamed wait: a run names its own waits.
    const done = await sayingItGoesOn(folder, result);
    const { values, metrics, digest, unsaved, parameters } = done;
    if (unsaved !== undefined) throw unsaved;
    // Unnamed wait: small files of this machine.
    const own = await continued(program, files.weightsPath, rules);
    return {
      program: own,
      values,
      weights: trainedWeights(own, values),
      stage: {
        stage: name,
        stored: parameters.length,
        wireBytesPerStep: 8 * parameters.length,
        bytes: sizeOf(own, values).length,
        accuracy: accuracyOf(metrics),
        digest,
      },
    };
  };
}

/** How much longer a stage is than the training of the program, in steps. */
function lengthOf({ epochs, batchSize }: Settings, program: Program): number {
  return (
    ((epochs ?? program.epochs) * program.batchSize) /
    (program.epochs * (batchSize ?? program.batchSize))
  );
}

async function sayingItGoesOn<T>(folder: string, run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (error) {
    if (!isTuttiError(error) || error.code !== 'ABORTED') throw error;
    throw new TuttiError('ABORTED', error.message, {
      remedy: `The same command goes on from here: what is done is kept in ${folder}.`,
      cause: error,
      details: { ...error.details },
    });
  }
}
