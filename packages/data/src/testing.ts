import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from './contract/dataset.js';

/** Files for one test, removed after it. */
export interface TestFolder {
  readonly path: string;
  /** Writes a file and returns its path. */
  write(name: string, content: Uint8Array | string): Promise<string>;
  remove(): Promise<void>;
}

export async function createTestFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'tutti-data-'));
  return {
    path,
    async write(name, content) {
      const file = join(path, name);
      await writeFile(file, content);
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** A batch in plain arrays, to compare. */
export function plain(
  batch: Batch,
): Record<string, { data: number[]; shape: readonly number[]; kind: string }> {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { data, shape }]) => [
      name,
      { data: [...data], shape, kind: data.constructor.name },
    ]),
  );
}
