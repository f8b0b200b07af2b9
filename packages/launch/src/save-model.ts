import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCheckpoint } from '@tutti/checkpoint';
import type { JobResult } from '@tutti/coordinator';
import { toTuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';

export type SaveModel = (trained: Omit<JobResult, 'modelPath'>) => Promise<string | null>;

/**
 * Writes the trained parameters as a checkpoint and returns its folder; null if none was asked for.
 * If that fails they go to the folder for temporary files instead: hours of training are not lost
 * for a full disk. Only if both fail it throws.
 */
export async function saved(
  trained: Omit<JobResult, 'modelPath'>,
  { checkpointDir = null }: { readonly checkpointDir?: string | null },
  emit: (event: RunEvent) => void,
): Promise<string | null> {
  if (checkpointDir === null) return null;
  const { plan, steps: step, values } = trained;
  const write = async (directory: string) => {
    const { path } = await writeCheckpoint({
      directory,
      step,
      parameters: plan.parameters.map(({ name, shape }) => ({
        name,
        shape,
        values: values[name]!,
      })),
      manifest: {
        seed: plan.seed,
        programHash: plan.programHash,
        plan,
        versions: { node: process.version },
      },
    });
    emit({ event: 'checkpoint', step, path });
    return path;
  };
  try {
    return await write(checkpointDir);
  } catch (thrown) {
    const { code, message, remedy } = toTuttiError(
      thrown,
      'STORAGE',
      `The trained model could not be saved in ${checkpointDir}`,
      'Make room there or choose another --checkpoint-dir.',
    );
    const refuge = join(tmpdir(), `tutti-${trained.job}`);
    const path = await write(refuge);
    emit({
      event: 'warning',
      code,
      message: `${message}. It was saved in ${path} instead`,
      remedy,
    });
    return path;
  }
}
