import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import { TuttiError } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import type { Computation, ParameterValues } from '@tutti/worker';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import type { CliContext } from '../context.js';
import { withOutput } from '../output.js';
import { type Flags, settingsFor } from '../settings.js';
import { openTrained } from '../trained-program.js';

/** A computation that can write its model in the format of its framework. */
interface Exporting extends Computation {
  /** Writes to `folder` and returns the path of the file to load. */
  exportModel(weights: ParameterValues, folder: string): Promise<string>;
}

/** `tutti export <program>`: a checkpoint as files that other tools load. */
export async function exportModel(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('export', flags, context, path);
  const { settings } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async ({ log, result }) => {
    const trained = await openTrained(path, settings, log);
    try {
      const { checkpoint, values, computation } = trained;
      const { step, digest } = checkpoint.manifest;
      const folder = settings.output ?? join(checkpoint.path, 'export');
      let modelPath: string;
      if (settings.format === 'safetensors') {
        modelPath = join(folder, 'model.safetensors');
        await writeSafetensors(modelPath, checkpoint.parameters, { step: String(step), digest });
      } else if (isExporting(computation)) {
        modelPath = await computation.exportModel(values, folder);
      } else {
        throw new TuttiError('BAD_PROGRAM', `Program ${path} is no tf.LayersModel`, {
          remedy: 'Export its parameters with --format safetensors.',
        });
      }
      result(
        { event: 'exported', format: settings.format, step, digest, modelPath },
        [`wrote ${modelPath}`, 'load it:', ...loadingCode(modelPath).map((l) => `  ${l}`)].join(
          '\n',
        ),
      );
    } finally {
      await trained.close();
    }
  });
}

function isExporting(computation: Computation): computation is Exporting {
  return 'exportModel' in computation && typeof computation.exportModel === 'function';
}
