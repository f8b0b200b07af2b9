import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samplePlan } from '@tutti/testing';
import { type FileSystem, nodeFileSystem } from './files.js';
import type { CheckpointFacts } from './manifest.js';
import type { Tensor } from './safetensors-header.js';
import type { WriteCheckpointInit } from './write-checkpoint.js';

/** Only tests import this file. */
export async function inTemporaryFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-checkpoint-'));
  try {
    await task(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const plan = samplePlan({
  programHash: 'p1',
  parameters: [
    { name: 'kernel', shape: [2, 3] },
    { name: 'bias', shape: [3] },
  ],
  seed: 7,
  optimizer: { name: 'adam', learningRate: 0.001 },
});

export const facts: CheckpointFacts = {
  seed: 7,
  programHash: 'p1',
  plan,
  versions: { node: 'v20', tutti: '0.1.0' },
};

export const parameters: readonly Tensor[] = [
  { name: 'kernel', shape: [2, 3], values: Float32Array.of(1, -0, Number.NaN, 1e-45, 5, 6) },
  { name: 'bias', shape: [3], values: Float32Array.of(0.1, Number.POSITIVE_INFINITY, -3) },
];

export const slots = [
  { name: 'm', values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) },
  { name: 'v', values: Float32Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1) },
];

export function checkpointOf(directory: string, step: number): WriteCheckpointInit {
  return { directory, step, parameters, slots, manifest: facts };
}

/** A file system whose calls fail from the `allowed`-th on; handles' writes and syncs count too. */
export function failingFileSystem(allowed: number, code: string): FileSystem & { calls(): number } {
  let calls = 0;
  const count = () => {
    if (calls++ >= allowed) {
      throw Object.assign(new Error(`${code}: injected`), { code, errno: -1 });
    }
  };
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      count();
      return call(...args);
    };
  return {
    ...nodeFileSystem,
    calls: () => calls,
    mkdir: counted(nodeFileSystem.mkdir as never) as unknown as FileSystem['mkdir'],
    rename: counted(nodeFileSystem.rename),
    open: (async (...args: Parameters<FileSystem['open']>) => {
      count();
      const handle = await nodeFileSystem.open(...args);
      const { write, sync } = handle;
      return Object.assign(handle, {
        write: counted(write.bind(handle) as never),
        sync: counted(sync.bind(handle)),
      });
    }) as FileSystem['open'],
  };
}
