import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import type { Settings } from '@tutti/config';
import { frozenNames } from '@tutti/run';
import { TuttiError, withCleanUp } from '@tutti/runtime';
import { loadingCode } from '@tutti/telemetry';
import { setArithmeticEnvironment } from '../machine/arithmetic-environment.js';
import { withOutput } from '../output/output.js';
import { untilDiskTakes, writeWhole } from '../output/write-whole.js';
import type { CliContext } from '../process/context.js';
import { openTrained, type TrainedProgram } from '../programs/trained-program.js';
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
      const { step, digest, path: checkpoint } = trained.saved;
      const { format, output: folder = join(checkpoint, 'export') } = settings;
      // Unnamed wait: what it awaits names its own waits.
      const { modelPath, bytes, needsSharing } = await WRITERS[format](trained, folder, settings);
      result(
        {
          event: 'exported',
          format,
          step,
          digest,
          modelPath,
          ...(bytes && { bytes }),
          ...(needsSharing && { needsSharing }),
        },
        [
          `wrote ${modelPath}${bytes ? `: ${bytes} bytes` : ''}`,
          'load it:',
          ...loadingCode(modelPath, format, needsSharing).map((line) => `  ${line}`),
        ].join('\n'),
      );
    });
  });
}

interface Written {
  readonly modelPath: string;
  /** Of a model that is one file. */
  readonly bytes?: number;
  /** Whether it is read with the sharing of `@tutti/edge`. */
  readonly needsSharing?: boolean;
}

type Write = (trained: TrainedProgram, folder: string, settings: Settings) => Promise<Written>;

/** Only once it is called: programs without it load none. */
const tensorflow = () => import('@tutti/tensorflow');

const WRITERS: Readonly<Record<Settings['format'], Write>> = {
  async safetensors({ saved, computation, monitor }, folder) {
    const modelPath = join(folder, 'model.safetensors');
    const frozen = (computation.sharing?.frozen() ?? []).map((each) => ({
      ...each,
      shape: [...each.shape],
    }));
    const facts = { step: String(saved.step), digest: saved.digest, ...frozenNames(frozen) };
    const tensors = [...saved.parameters, ...frozen];
    await monitor.race(writeSafetensors(modelPath, tensors, facts), takingFiles(folder));
    return { modelPath };
  },
  async tutti(trained, folder, { quantize }) {
    // Unnamed wait: a module of this machine.
    const { edgeModel } = await tensorflow();
    const precisions = quantize && { kernels: quantize, biases: 'float16' as const };
    const { bytes, needsSharing } = edgeModel(trained.program, trained.values, precisions);
    // Unnamed wait: it names its own waits.
    return { ...(await writeModelFile(trained, folder, '.tutti', bytes)), needsSharing };
  },
  async keras(trained, folder) {
    // Unnamed wait: a module of this machine.
    const { kerasModel } = await tensorflow();
    // Unnamed wait: it computes.
    const bytes = await kerasModel(trained.program, trained.values);
    return writeModelFile(trained, folder, '.keras', bytes);
  },
  async graph({ program, values, monitor }, folder) {
    // Unnamed wait: a module of this machine.
    const { exportGraphModel } = await tensorflow();
    const writing = exportGraphModel(program, values, folder);
    return { modelPath: await monitor.race(writing, takingFiles(folder)) };
  },
  async tfjs({ program, values, monitor }, folder) {
    // Unnamed wait: a module of this machine.
    const { exportLayersModel } = await tensorflow();
    const writing = exportLayersModel(program, values, folder);
    return { modelPath: await monitor.race(writing, takingFiles(folder)) };
  },
};

/** @param folder or the file itself, if it has the extension */
async function writeModelFile(
  { monitor }: TrainedProgram,
  folder: string,
  extension: string,
  content: Uint8Array,
): Promise<Written> {
  const file = folder.endsWith(extension) ? folder : join(folder, `model${extension}`);
  const modelPath = await monitor.race(writeWhole(file, content), takingFiles(folder));
  return { modelPath, bytes: content.length };
}

const takingFiles = (folder: string) => untilDiskTakes(`the files in ${folder}`);
