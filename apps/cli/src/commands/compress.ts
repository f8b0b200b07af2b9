import { resolve } from 'node:path';
import type { Settings } from '@tutti/config';
import { readModel } from '@tutti/edge';
import { runLocal } from '@tutti/launch';
import { abortError, TuttiError, withCleanUp } from '@tutti/runtime';
import type { CompressionRule, TrainedWeight } from '@tutti/tensorflow';
import type { ParameterValues, Program } from '@tutti/worker';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import { type Densities, halved, inRound, parseKeep } from '../compress/densities.js';
import { stageOptimizer } from '../compress/stage-optimizer.js';
import { writeStageProgram } from '../compress/stage-program.js';
import { type Stage, stageTable } from '../compress/stage-table.js';
import type { CliContext } from '../context.js';
import { defaultWorkers, thisMachine } from '../default-workers.js';
import { evaluateTrained } from '../evaluation.js';
import { runsFolder } from '../folders.js';
import { withOutput } from '../output.js';
import { roleSettings } from '../role-settings.js';
import { type Flags, settingsFor } from '../settings.js';
import { openTrained, type TrainedProgram } from '../trained-program.js';
import { writeWhole } from '../write-whole.js';

/** Rounds of a search for densities; each halves the largest weight. */
const MOST_ROUNDS = 8;
/** Elements whose predictions are measured at once. */
const BATCH = 256;

/** A stage with the weights that it left. */
interface Trained {
  readonly stage: Stage;
  readonly weights: readonly TrainedWeight[];
  readonly program: Program;
  readonly values: ParameterValues;
}

/**
 * `tutti compress <program>`: Deep Compression (Han et al. 2016). Weights are pruned and trained again, in rounds;
 * those that are left are clustered, and the centroids trained; each as a run of the program with other
 * sharing. Then Huffman codes.
 */
export async function compress(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('compress', flags, context, path);
  const { settings } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async (output) => {
    const { renderer, result } = output;
    const from =
      settings.from === undefined || settings.from === 'latest'
        ? {}
        : { checkpoint: settings.from };
    const trained = await openTrained(path, from, output, context);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(trained.close, async () => {
      const { monitor, program } = trained;
      // Unnamed wait: TensorFlow is loaded already, since the program has used it.
      const { continued, edgeModel, trainedWeights } = await import('@tutti/tensorflow');
      const sizeOf = (of: Program, values: ParameterValues, precise = true) =>
        edgeModel(of, values, precise ? {} : { biases: 'float16' }).bytes;
      const dense = await denseStage(path, trained, context, sizeOf, trainedWeights);
      const folder = `${runsFolder(program.name ?? 'program')}-compressed`;
      const { shards } = trained.checkpoint.manifest.plan;

      /** Trains the program with these rules from these weights. */
      const run = async (
        kind: string,
        stage: string,
        rules: CompressionRule[],
        before: Trained,
      ) => {
        const { weights } = before;
        const tensorflow = import.meta.resolve('@tutti/tensorflow');
        const init = { folder, stage: kind, original: path, tensorflow, weights, rules };
        // Unnamed wait: small files of this machine.
        const files = await writeStageProgram(init);
        renderer.note(`${stage}: ${files.path}`);
        const { result: running } = runLocal(files.path, {
          ...roleSettings(settings),
          optimizer: stageOptimizer(program.optimizer, lengthOf(settings, program)),
          shards,
          workers: settings.workers ?? defaultWorkers(thisMachine(), shards),
          runsDir: folder,
          // The program of each stage has the weights of the one before.
          from: undefined,
          signal: context.signal,
          onEvent: renderer,
        });
        // Unnamed wait: a run names its own waits.
        const { values, metrics, digest, unsaved, parameters } = await running;
        if (unsaved !== undefined) throw unsaved;
        // Unnamed wait: small files of this machine.
        const own = await continued(program, files.weightsPath, rules);
        return {
          program: own,
          values,
          weights: trainedWeights(own, values),
          stage: {
            stage,
            stored: parameters.length,
            wireBytesPerStep: 8 * parameters.length,
            bytes: sizeOf(own, values).length,
            accuracy: accuracyOf(metrics),
            digest,
          },
        } satisfies Trained;
      };

      const stages: Stage[] = [dense.stage];
      const prunable = trained.computation
        .sharing!.inspect(0)
        .weights.filter(({ kind, shape }) => kind === 'none' && shape.length > 1)
        .map(({ weight, elements }) => ({ name: weight, size: elements }));
      const prunedTo = (densities: Densities): CompressionRule[] =>
        Object.entries(densities).map(([weight, ratio]) => ({ kind: 'pruned', weight, ratio }));
      let last: Trained = dense;
      if (settings.keep !== undefined) {
        const target = parseKeep(settings.keep, prunable);
        for (let round = 1; round <= settings.rounds; round++) {
          const rules = prunedTo(inRound(target, round, settings.rounds));
          last = await run('pruned', `pruned ${round} of ${settings.rounds}`, rules, last);
          stages.push(last.stage);
        }
      } else {
        const least = settings.minAccuracy ?? dense.stage.accuracy - 0.01;
        let densities: Densities = {};
        for (let round = 1; round <= MOST_ROUNDS; round++) {
          densities = halved(densities, prunable);
          const next = await run(
            'pruned',
            `pruned, halved ${round} times`,
            prunedTo(densities),
            last,
          );
          stages.push(next.stage);
          if (next.stage.accuracy < least) break;
          last = next;
        }
      }
      const clustered = last.weights
        .filter(({ name }) => prunable.some((each) => each.name === name))
        .map(({ name, values }): CompressionRule => {
          const kept = values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
          return { kind: 'codebook', weight: name, values: Math.min(settings.values, kept) };
        });
      last = await run('codebook', `codebook of ${settings.values}`, clustered, last);
      stages.push(last.stage);

      const bytes = sizeOf(last.program, last.values, false);
      const file = await monitor.race(writeWhole(settings.output ?? 'model.tutti', bytes), {
        who: 'the disk',
        what: 'take the file',
        remedy: 'See whether it is full, or slow.',
      });
      const accuracy = await fileAccuracy(trained, bytes, context);
      stages.push({ ...last.stage, stage: 'file', bytes: bytes.length, accuracy });
      const { maxBytes, minAccuracy } = settings;
      result(
        { event: 'compressed', modelPath: resolve(file), bytes: bytes.length, accuracy, stages },
        `${stageTable(stages)}\nwrote ${file}: ${bytes.length} bytes`,
      );
      const missed = [
        ...(maxBytes !== undefined && bytes.length > maxBytes
          ? [`it has ${bytes.length} bytes instead of at most ${maxBytes}`]
          : []),
        ...(minAccuracy !== undefined && accuracy < minAccuracy
          ? [`its accuracy is ${accuracy} instead of at least ${minAccuracy}`]
          : []),
      ];
      if (missed.length > 0)
        throw new TuttiError(
          'BOUND_MISSED',
          `${file} misses its bounds: ${missed.join(', and ')}`,
          {
            remedy:
              'Keep less for fewer bytes, more for more accuracy, or train longer: --keep, --rounds, --epochs.',
            details: { bytes: bytes.length, accuracy, stages },
          },
        );
    });
  });
}

/** How much longer a stage is than the training of the program, in steps. */
function lengthOf({ epochs, batchSize }: Settings, program: Program): number {
  return (
    ((epochs ?? program.epochs) * program.batchSize) /
    (program.epochs * (batchSize ?? program.batchSize))
  );
}

async function denseStage(
  path: string,
  trained: TrainedProgram,
  context: CliContext,
  sizeOf: (program: Program, values: ParameterValues) => Uint8Array,
  trainedWeights: (program: Program, values: ParameterValues) => TrainedWeight[],
): Promise<Trained> {
  const { program, values, checkpoint } = trained;
  // Unnamed wait: what it awaits names its own waits.
  const { metrics } = await evaluateTrained(path, trained, context);
  const accuracy = accuracyOf(metrics);
  const stored = checkpoint.parameters.reduce((sum, each) => sum + each.values.length, 0);
  const stage = {
    stage: 'dense',
    stored,
    wireBytesPerStep: 8 * stored,
    bytes: sizeOf(program, values).length,
    accuracy,
    digest: checkpoint.manifest.digest,
  };
  return { program, values, weights: trainedWeights(program, values), stage };
}

function accuracyOf(metrics: Readonly<Record<string, number>>): number {
  const { accuracy } = metrics;
  if (accuracy !== undefined) return accuracy;
  throw new TuttiError('BAD_PROGRAM', 'The program does not measure its accuracy', {
    remedy: "Give it metrics: ['accuracy'] and an evaluation set.",
  });
}

/** What the file itself gets right, read as a device reads it. */
async function fileAccuracy(
  { program, data, monitor }: TrainedProgram,
  bytes: Uint8Array,
  context: CliContext,
): Promise<number> {
  // Unnamed wait: TensorFlow is loaded already, since the program has used it.
  const { evaluateEdge } = await import('@tutti/tensorflow');
  const model = readModel(bytes);
  const { evaluation } = data;
  const size = evaluation!.size;
  let right = 0;
  for (let first = 0; first < size; first += BATCH) {
    if (context.signal.aborted) throw abortError(context.signal);
    const indices = Array.from({ length: Math.min(BATCH, size - first) }, (_, at) => first + at);
    const batch = await monitor.race(Promise.resolve(evaluation!.read(indices)), {
      who: 'the evaluation set',
      what: 'give its examples',
      remedy: 'See whether its disk answers.',
    });
    right += evaluateEdge(program, model, batch).metrics.accuracy!;
  }
  return right / size;
}
