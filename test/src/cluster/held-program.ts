import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Folder, regressionWith } from '../processes/program-files.js';

/** A program whose workers stop before a step until a file is there, on whatever host they are. */
export interface HeldProgram {
  readonly path: string;
  release(): Promise<void>;
}

export async function heldProgram(folder: Folder, step: number): Promise<HeldProgram> {
  const file = join(folder.path, 'go');
  const held = `
    if (step >= ${step}) {
      const { existsSync } = await import('node:fs');
      while (!existsSync(${JSON.stringify(file)})) await new Promise((go) => setTimeout(go, 20));
    }`;
  const path = await folder.program(regressionWith(held, '{ epochs: 8, shards: 4 }'));
  return { path, release: () => writeFile(file, '') };
}
