import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import type { CompressionRule, TrainedWeight } from '@tutti/tensorflow';
import { writeWhole } from '../output/write-whole.js';

/** A program that goes on from trained weights with less of them: a file, so that workers can load it. */
export interface StageProgram {
  /** What `continued` is given. */
  readonly weightsPath: string;
  readonly rules: readonly CompressionRule[];
  /** Named after all that decides what the stage gives. */
  readonly folder: string;
  /** The file that workers load, and `tutti replay` too. */
  readonly path: string;
}

/**
 * Writes the files of a stage into a folder named after their content, and after how they are trained.
 * @param job what else decides the result: the hash of the program, settings
 * @param tensorflow where workers find @tutti/tensorflow: the program may lie elsewhere
 */
export async function writeStageProgram(init: {
  readonly folder: string;
  readonly stage: string;
  readonly original: string;
  readonly tensorflow: string;
  readonly weights: readonly TrainedWeight[];
  readonly rules: readonly CompressionRule[];
  readonly job: object;
}): Promise<StageProgram> {
  const { folder, stage, original, tensorflow, weights, rules, job } = init;
  const hash = createHash('sha256').update(JSON.stringify([resolve(original), rules, job]));
  for (const { values } of weights)
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const own = resolve(folder, `${stage}-${hash.digest('hex').slice(0, 12)}`);
  const weightsPath = join(own, 'weights.safetensors');
  const path = join(own, 'program.mts');
  const source = `// Made by \`tutti compress\`: the program with fewer stored values, begun with trained weights.
import program from ${JSON.stringify(resolve(original))};
import { continued } from ${JSON.stringify(tensorflow)};

// Unnamed wait: files of this machine.
export default await continued(
  program,
  ${JSON.stringify(weightsPath)},
  ${JSON.stringify(rules)},
);
`;
  // Unnamed wait: small files of this machine.
  await writeWhole(path, Buffer.from(source));
  // Unnamed wait: small files of this machine.
  await writeSafetensors(weightsPath, weights, { stage });
  return { weightsPath, rules, folder: own, path };
}
