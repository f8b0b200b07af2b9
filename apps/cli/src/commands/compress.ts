import { resolve } from 'node:path';
import { TuttiError, withCleanUp } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import type { CompressionRule } from '@tutti/tensorflow';
import type { ParameterValues, Program } from '@tutti/worker';
import { accuracyOf, fileAccuracy } from '../compress/accuracy.js';
import { type Densities, inRound, parseKeep } from '../compress/densities.js';
import { searchDensities } from '../compress/search.js';
import { percentage, type Stage, stageTable } from '../compress/stage-table.js';
import { createStageTrainer, type StageInit, type TrainedStage } from '../compress/train-stage.js';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import { writeWhole } from '../output/write-whole.js';
import type { CliContext } from '../process/context.js';
import { evaluateTrained } from '../programs/evaluation.js';
import { openTrained, type TrainedProgram } from '../programs/trained-program.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/**
 * `tutti compress <program>`: Deep Compression (Han et al. 2016). Weights are pruned and trained again, in rounds;
 * those that are left are clustered, and the centroids trained; each as a run of the program with other
 * sharing. Then Huffman codes. Interrupted, the same command goes on where it was.
 */
export async function compress(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('compress', flags, context, path);
  const { settings } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async (output) => {
    const { renderer, result } = output;
    const from = settings.from === 'latest' ? undefined : settings.from;
    const trained = await openTrained(path, { from }, output, context);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(trained.close, async () => {
      const { monitor } = trained;
      // Unnamed wait: TensorFlow is loaded already, since the program has used it.
      const { edgeModel } = await import('@tutti/tensorflow');
      const rounded = { biases: 'float16' } as const;
      const sizeOf = (of: Program, values: ParameterValues, precise = true) =>
        edgeModel(of, values, precise ? {} : rounded).bytes;
      const trainer = createStageTrainer({ path, settings, trained, context, renderer, sizeOf });
      const dense = await denseStage(path, trained, context, sizeOf);
      const stages: Stage[] = [dense.stage];
      const kernels = trained.computation
        .sharing!.inspect(0)
        .weights.filter(({ shape }) => shape.length > 1);
      const prunable = kernels
        .filter(({ kind }) => kind === 'none')
        .map(({ weight, elements }) => ({ name: weight, size: elements }));
      for (const { weight, kind } of kernels)
        if (kind !== 'none')
          renderer.note(`${weight} stays as it is, since it is ${kind} already.`);
      const { maxBytes, minAccuracy } = settings;
      if (minAccuracy !== undefined && dense.stage.accuracy < minAccuracy)
        renderer.note(
          `The accuracy of the checkpoint itself is ${percentage(dense.stage.accuracy)}, less than --min-accuracy ${minAccuracy}: train longer before, if this does not reach it.`,
        );
      const prunedTo = (densities: Densities): CompressionRule[] =>
        Object.entries(densities).map(([weight, ratio]) => ({ kind: 'pruned', weight, ratio }));
      const clustered = (before: TrainedStage): StageInit => ({
        kind: 'codebook',
        name: `codebook of ${settings.values}`,
        rules: before.weights
          .filter(({ name }) => prunable.some((each) => each.name === name))
          .map(({ name, values }): CompressionRule => {
            const kept = values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
            return { kind: 'codebook', weight: name, values: Math.min(settings.values, kept) };
          }),
        before,
      });
      let last = dense;
      if (settings.keep !== undefined) {
        const target = parseKeep(settings.keep, prunable);
        for (let round = 1; round <= settings.rounds; round++) {
          last = await trainer.train({
            kind: 'pruned',
            name: `pruned ${round} of ${settings.rounds}`,
            rules: prunedTo(inRound(target, round, settings.rounds)),
            before: last,
          });
          stages.push(last.stage);
        }
      } else {
        // Unnamed wait: what it awaits names its own waits.
        const found = await searchDensities({
          prunable,
          from: dense,
          leastAccuracy: minAccuracy ?? dense.stage.accuracy - 0.01,
          isSmall: async (of) =>
            maxBytes !== undefined && (await trainer.firstBytes(clustered(of))) <= maxBytes,
          prune: (name, densities, before) =>
            trainer.train({ kind: 'pruned', name, rules: prunedTo(densities), before }),
        });
        stages.push(...found.stages);
        last = found.last;
      }
      last = await trainer.train(clustered(last));
      stages.push(last.stage);

      const { bytes, needsSharing } = edgeModel(last.program, last.values, rounded);
      const file = await monitor.race(writeWhole(settings.output ?? 'model.tutti', bytes), {
        who: 'the disk',
        what: 'take the file',
        remedy: 'See whether it is full, or slow.',
      });
      const examples = trained.data.evaluation!.size;
      renderer.note(
        `predicting ${examples.toLocaleString('en-US')} examples as a device reads the file`,
      );
      const accuracy = await fileAccuracy(trained, bytes, context);
      stages.push({ ...last.stage, stage: 'file', bytes: bytes.length, accuracy });
      result(
        {
          event: 'compressed',
          modelPath: resolve(file),
          bytes: bytes.length,
          ...(needsSharing && { needsSharing }),
          accuracy,
          stages,
        },
        [
          stageTable(stages),
          `wrote ${file}: ${bytes.length} bytes`,
          ...(needsSharing ? ['load it:', ...loadingCode(file, 'tutti', true)] : []),
        ].join('\n'),
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

/** The program as it was trained. */
async function denseStage(
  path: string,
  trained: TrainedProgram,
  context: CliContext,
  sizeOf: (program: Program, values: ParameterValues) => Uint8Array,
): Promise<TrainedStage> {
  // Unnamed wait: TensorFlow is loaded already, since the program has used it.
  const { trainedWeights } = await import('@tutti/tensorflow');
  const { program, values, saved } = trained;
  // Unnamed wait: what it awaits names its own waits.
  const { metrics } = await evaluateTrained(path, trained, context);
  const accuracy = accuracyOf(metrics);
  const stored = saved.parameters.reduce((sum, each) => sum + each.values.length, 0);
  const stage = {
    stage: 'dense',
    stored,
    wireBytesPerStep: 8 * stored,
    bytes: sizeOf(program, values).length,
    accuracy,
    digest: saved.digest,
  };
  return { program, values, weights: trainedWeights(program, values), stage };
}
