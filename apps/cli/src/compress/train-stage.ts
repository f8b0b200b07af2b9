import { join } from 'node:path';
import { latestCheckpoints } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { runLocal } from '@tutti/launch';
import type { CompressionRule, TrainedWeight } from '@tutti/tensorflow';
import type { ParameterValues, Program } from '@tutti/worker';
import { defaultWorkers, thisMachine } from '../machine/default-workers.js';
import { runsFolder } from '../output/folders.js';
import type { Output } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { interruptionOf } from '../process/interruption.js';
import type { TrainedProgram } from '../programs/trained-program.js';
import { roleSettings } from '../settings/role-settings.js';
import { accuracyOf } from './accuracy.js';
import { stageOptimizer } from './stage-optimizer.js';
import { type StageProgram, writeStageProgram } from './stage-program.js';
import type { Stage } from './stage-table.js';

/** What is compressed, how, and who is told. */
export interface Compression extends Pick<Output, 'renderer' | 'observe'> {
  readonly path: string;
  readonly settings: Settings;
  readonly trained: TrainedProgram;
  readonly context: CliContext;
}

/** How the biases of the file are kept; its kernels are codebooks. */
export const ROUNDED = { biases: 'float16' } as const;

/** A stage with the weights that it left. */
export interface TrainedStage {
  readonly stage: Stage;
  readonly weights: readonly TrainedWeight[];
  readonly program: Program;
  readonly values: ParameterValues;
}

/** What is to be trained: by which rules, from which weights. */
export interface StageInit {
  readonly kind: CompressionRule['kind'];
  readonly name: string;
  readonly rules: readonly CompressionRule[];
  readonly before: TrainedStage;
}

export interface StageTrainer {
  train(stage: StageInit): Promise<TrainedStage>;
  /** The bytes of the file that would be written before the stage is trained, biases rounded. */
  firstBytes(stage: StageInit): Promise<number>;
}

/**
 * Trains stages of a compression, each as a run of the program with other sharing, in a folder that is named after
 * all that decides its result. So the same command takes up what an earlier one has done: stages that are
 * finished, and the checkpoint of the one that it was interrupted in.
 */
export function createStageTrainer(compression: Compression): StageTrainer {
  const { path, settings, trained, context, renderer } = compression;
  const { program, hash, saved } = trained;
  const { shards } = saved.plan;
  const folder = `${runsFolder(program.name ?? 'program')}-compressed`;
  const interruption = interruptionOf(
    context,
    compression,
    () => `The same command goes on from here: what is done is kept in ${folder}.`,
  );
  const { batchSize, epochs, steps, seed, learningRate } = settings;
  const optimizer = stageOptimizer(program.optimizer, lengthOf(settings, program));
  const job = { hash, shards, batchSize, epochs, steps, seed, learningRate, optimizer };

  function write({ kind, rules, before: { weights } }: StageInit): Promise<StageProgram> {
    const tensorflow = import.meta.resolve('@tutti/tensorflow');
    return writeStageProgram({
      ...{ folder, stage: kind, original: path, tensorflow, weights, rules, job },
    });
  }

  async function firstBytes(stage: StageInit): Promise<number> {
    // Unnamed wait: TensorFlow is loaded already, since the program has used it.
    const { continued, edgeModel } = await import('@tutti/tensorflow');
    // Unnamed wait: small files of this machine.
    const { weightsPath } = await write(stage);
    // Unnamed wait: small files of this machine.
    const own = await continued(program, weightsPath, stage.rules);
    // Unnamed wait: it was opened before, without the rules.
    const computation = await own.open();
    try {
      // Unnamed wait: it computes.
      const values = await computation.initialize(own.seed);
      return edgeModel(own, values, ROUNDED).bytes.length;
    } finally {
      // Unnamed wait: it was closed so before, without the rules.
      await computation.close?.();
    }
  }

  async function train(stage: StageInit): Promise<TrainedStage> {
    // Unnamed wait: TensorFlow is loaded already, since the program has used it.
    const { continued, edgeModel, trainedWeights } = await import('@tutti/tensorflow');
    const { name, rules } = stage;
    // Unnamed wait: small files of this machine.
    const files = await write(stage);
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
      interrupt: interruption.signal,
      onEvent: renderer,
    });
    // Unnamed wait: a run names its own waits.
    const done = await interruption.sayingHowToGoOn(result);
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
        bytes: edgeModel(own, values).bytes.length,
        accuracy: accuracyOf(metrics),
        digest,
      },
    };
  }

  return { train, firstBytes };
}

/** How much longer a stage is than the training of the program, in steps. */
function lengthOf({ epochs, batchSize }: Settings, program: Program): number {
  return (
    ((epochs ?? program.epochs) * program.batchSize) /
    (program.epochs * (batchSize ?? program.batchSize))
  );
}
