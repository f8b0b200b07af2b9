import { resolve } from 'node:path';
import type { Settings } from '@tutti/config';
import { TuttiError, withCleanUp } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import { fileAccuracy } from '../compress/accuracy.js';
import { type Stage, stageTable } from '../compress/stage-table.js';
import { ROUNDED } from '../compress/train-stage.js';
import { trainStages } from '../compress/train-stages.js';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import { untilDiskTakes, writeWhole } from '../output/write-whole.js';
import type { CliContext } from '../process/context.js';
import { openTrained } from '../programs/trained-program.js';
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
      const { monitor, data } = trained;
      // Unnamed wait: TensorFlow is loaded already, since the program has used it.
      const { edgeModel } = await import('@tutti/tensorflow');
      const { last, stages } = await trainStages({ path, settings, trained, context, ...output });
      const { bytes, needsSharing } = edgeModel(last.program, last.values, ROUNDED);
      const file = await monitor.race(
        writeWhole(settings.output ?? 'model.tutti', bytes),
        untilDiskTakes('the file'),
      );
      const examples = data.evaluation!.size;
      renderer.note(
        `predicting ${examples.toLocaleString('en-US')} examples as a device reads the file`,
      );
      const accuracy = await fileAccuracy(trained, bytes, context);
      const written = { ...last.stage, stage: 'file', bytes: bytes.length, accuracy };
      const all = [...stages, written];
      result(
        {
          event: 'compressed',
          modelPath: resolve(file),
          bytes: bytes.length,
          ...(needsSharing && { needsSharing }),
          accuracy,
          stages: all,
        },
        [
          ...stageTable(all),
          `wrote ${file}: ${bytes.length} bytes`,
          ...(needsSharing ? ['load it:', ...loadingCode(file, 'tutti', true)] : []),
        ].join('\n'),
      );
      refuseMissedBounds(file, written, all, settings);
    });
  });
}

function refuseMissedBounds(
  file: string,
  { bytes, accuracy }: Stage,
  stages: readonly Stage[],
  { maxBytes, minAccuracy }: Settings,
): void {
  const missed = [
    ...(maxBytes !== undefined && bytes > maxBytes
      ? [`it has ${bytes} bytes instead of at most ${maxBytes}`]
      : []),
    ...(minAccuracy !== undefined && accuracy < minAccuracy
      ? [`its accuracy is ${accuracy} instead of at least ${minAccuracy}`]
      : []),
  ];
  if (missed.length === 0) return;
  throw new TuttiError('BOUND_MISSED', `${file} misses its bounds: ${missed.join(', and ')}`, {
    remedy:
      'Keep less for fewer bytes, more for more accuracy, or train longer: --keep, --rounds, --epochs.',
    details: { bytes, accuracy, stages },
  });
}
