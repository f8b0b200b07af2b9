import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a package's file is; programs outside of this repository import by it. */
export const { resolve: resolvePath } = createRequire(import.meta.url);

const pathOf = (relative: string) =>
  JSON.stringify(fileURLToPath(new URL(relative, import.meta.url)));

/**
 * What most programs here begin with: a small regression, and word of the process that runs it, whose
 * `name` is that of the worker, and of which the test has heard once `known` resolves.
 */
const IMPORTS = `
import { regression } from ${pathOf('../programs/regression.ts')};
import { known, name } from ${pathOf('./answer-roll-call.ts')};
console.error(name, 'is here');
`;

/**
 * A regression whose gradient comes after `statement`, which sees the worker's `name` and the
 * `step` and `shard` of the micro-batch, and may change the `result`.
 */
export const regressionWith = (statement: string, options = '{}') => `${IMPORTS}
const program = regression(${options});
export default {
  ...program,
  async open() {
    const computation = await program.open();
    return {
      ...computation,
      async gradient(weights, microBatch) {
        const result = await computation.gradient(weights, microBatch);
        const { step, shard } = microBatch;
        ${statement}
        return result;
      },
    };
  },
};
`;

/** A folder of its own for the files of one test. */
export interface Folder {
  readonly path: string;
  /** Writes a program and returns its path. */
  program(source: string, name?: string): Promise<string>;
  remove(): Promise<void>;
}

export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'tutti-test-'));
  return {
    path,
    async program(source, name = 'program.ts') {
      await writeFile(join(path, name), source);
      return join(path, name);
    },
    // Who was told to end may still write a last file meanwhile.
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 20 }),
  };
}
