import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { frozenNames } from '@tutti/run';
import { TuttiError, withCleanUp } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import { writeWhole } from '../output/write-whole.js';
import type { CliContext } from '../process/context.js';
import { openTrained } from '../programs/trained-program.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti export <program>`: a checkpoint as files that other tools load. */
export async function exportModel(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('export', flags, context, path);
  const { settings } = resolved;
  if (settings.quantize !== undefined && settings.format !== 'tutti')
    throw new TuttiError(
      'BAD_CONFIG',
      `quantize ${settings.quantize} does not go with format ${settings.format}: only .tutti files have rounded weights.`,
      { remedy: 'Give --format tutti, or leave --quantize out.' },
    );
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async (output) => {
    const { result } = output;
    const trained = await openTrained(path, settings, output, context);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(trained.close, async () => {
      const { saved, values, program, monitor } = trained;
      const { step, digest } = saved;
      const folder = settings.output ?? join(saved.path, 'export');
      const writing = {
        who: 'the disk',
        what: `take the files in ${folder}`,
        remedy: 'See whether it is full, or slow.',
      };
      let modelPath: string;
      let size: number | undefined;
      let needsSharing = false;
      if (settings.format === 'safetensors') {
        modelPath = join(folder, 'model.safetensors');
        const frozen = (trained.computation.sharing?.frozen() ?? []).map((each) => ({
          ...each,
          shape: [...each.shape],
        }));
        const facts = { step: String(step), digest, ...frozenNames(frozen) };
        const tensors = [...saved.parameters, ...frozen];
        await monitor.race(writeSafetensors(modelPath, tensors, facts), writing);
      } else if (settings.format === 'tutti' || settings.format === 'keras') {
        // Unnamed wait: TensorFlow is loaded already, since the program has used it.
        const { edgeModel, kerasModel } = await import('@tutti/tensorflow');
        let bytes: Uint8Array;
        if (settings.format === 'tutti')
          ({ bytes, needsSharing } = edgeModel(program, values, precisionsOf(settings.quantize)));
        else {
          // Unnamed wait: it computes.
          bytes = await kerasModel(program, values);
        }
        const extension = `.${settings.format}`;
        const file = folder.endsWith(extension) ? folder : join(folder, `model${extension}`);
        modelPath = await monitor.race(writeWhole(file, bytes), writing);
        size = bytes.length;
      } else {
        // Here, because the other commands need none of it.
        // Unnamed wait: TensorFlow is loaded already, since the program has used it.
        const { exportGraphModel, exportLayersModel } = await import('@tutti/tensorflow');
        const write = settings.format === 'graph' ? exportGraphModel : exportLayersModel;
        modelPath = await monitor.race(write(program, values, folder), writing);
      }
      result(
        {
          event: 'exported',
          format: settings.format,
          step,
          digest,
          modelPath,
          ...(size && { bytes: size }),
          ...(needsSharing && { needsSharing }),
        },
        [
          `wrote ${modelPath}${size ? `: ${size} bytes` : ''}`,
          'load it:',
          ...loadingCode(modelPath, settings.format, needsSharing).map((l) => `  ${l}`),
        ].join('\n'),
      );
    });
  });
}

const precisionsOf = (kernels: Settings['quantize']) =>
  kernels === undefined ? {} : ({ kernels, biases: 'float16' } as const);
