import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import { withCleanUp } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import { setArithmeticEnvironment } from '../arithmetic-environment.js';
import type { CliContext } from '../context.js';
import { withOutput } from '../output.js';
import { type Flags, settingsFor } from '../settings.js';
import { openTrained } from '../trained-program.js';

/** `tutti export <program>`: a checkpoint as files that other tools load. */
export async function exportModel(path: string, flags: Flags, context: CliContext): Promise<void> {
  const resolved = await settingsFor('export', flags, context, path);
  const { settings } = resolved;
  setArithmeticEnvironment(context.environment, resolved);
  await withOutput(settings, context, async (output) => {
    const { result } = output;
    const trained = await openTrained(path, settings, output, context);
    // Unnamed wait: what it awaits names its own waits.
    await withCleanUp(trained.close, async () => {
      const { checkpoint, values, program, monitor } = trained;
      const { step, digest } = checkpoint.manifest;
      const folder = settings.output ?? join(checkpoint.path, 'export');
      const writing = {
        who: 'the disk',
        what: `take the files in ${folder}`,
        remedy: 'See whether it is full, or slow.',
      };
      let modelPath: string;
      if (settings.format === 'safetensors') {
        modelPath = join(folder, 'model.safetensors');
        const facts = { step: String(step), digest };
        await monitor.race(writeSafetensors(modelPath, checkpoint.parameters, facts), writing);
      } else {
        // Here, because the other commands need none of it.
        // Unnamed wait: TensorFlow is loaded already, since the program has used it.
        const { exportLayersModel } = await import('@tutti/tensorflow');
        modelPath = await monitor.race(exportLayersModel(program, values, folder), writing);
      }
      result(
        { event: 'exported', format: settings.format, step, digest, modelPath },
        [`wrote ${modelPath}`, 'load it:', ...loadingCode(modelPath).map((l) => `  ${l}`)].join(
          '\n',
        ),
      );
    });
  });
}
