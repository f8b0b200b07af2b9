import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';
import { parameterDigest } from './digest.js';
import {
  ASIDE_PREFIX,
  type FileSystem,
  nodeFileSystem,
  replaceDurably,
  syncFolder,
  writeDurably,
} from './files.js';
import { exists, folderName, leftovers } from './folder.js';
import {
  type CheckpointFacts,
  createManifest,
  type FileFacts,
  MANIFEST_FILE,
  manifestText,
  OPTIMIZER_FILE,
  WEIGHTS_FILE,
} from './manifest.js';
import { piecesOf, rangeFile } from './ranges.js';
import { type Retention, superseded } from './retention.js';
import { isRunFolder, LATEST_FILE } from './runs.js';
import { safetensorsPieces } from './safetensors.js';
import { encodeHeader, type Tensor } from './safetensors-header.js';
import { freeBytes, storageError, withStorageErrors } from './storage-error.js';

/** Room for manifest, folder entries and rounding to blocks. */
const OVERHEAD_BYTES = 65_536;

export interface WriteCheckpointInit {
  /** The folder of checkpoints; made if it is not there. */
  readonly directory: string;
  /** Steps that are in the weights. */
  readonly step: number;
  /** The stored parameters in declared order. They must not change until this resolves. */
  readonly parameters: readonly Tensor[];
  /** The optimizer's state, flat. */
  readonly slots?: readonly { readonly name: string; readonly values: Float32Array }[];
  readonly manifest: CheckpointFacts;
  /** Floats of each server's range: each has files of its own. Default: all in one. */
  readonly ranges?: readonly number[];
  /** Which checkpoints of this run stay. Default: all. */
  readonly keep?: Retention;
  readonly fileSystem?: FileSystem;
}

export interface WrittenCheckpoint {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** Checkpoints that were removed because newer ones exist. */
  readonly removed: readonly string[];
}

/**
 * Writes a checkpoint all or nothing: into a folder aside, synced to the disk, then renamed to
 * `step-000004690`. A process killed at any moment leaves the older checkpoints as they were.
 *
 * Throws STORAGE with path, bytes needed and free, and a remedy; nothing half-written remains.
 */
export async function writeCheckpoint(init: WriteCheckpointInit): Promise<WrittenCheckpoint> {
  const { directory, step, parameters } = init;
  const fs = init.fileSystem ?? nodeFileSystem;
  const slots = (init.slots ?? []).map(({ name, values }) => ({
    name,
    shape: [values.length],
    values,
  }));
  const contents = contentsOf(parameters, slots, init.ranges);
  const sizes = [...contents.values()].map(sizeOf);
  const neededBytes = sizes.reduce((sum, size) => sum + size, OVERHEAD_BYTES);
  const path = join(directory, folderName(step));

  return withStorageErrors(fs, { path, neededBytes }, async () => {
    await ensureFolder(directory, fs.mkdir);
    const free = await freeBytes(fs, directory);
    // Before writing, so that a disk is not filled to the brim for nothing.
    if (free !== undefined && free < neededBytes) {
      throw storageError({ path, neededBytes }, 'the disk is full', 'ENOSPC', free);
    }
    const aside = join(directory, `${ASIDE_PREFIX}${folderName(step)}-${randomUUID()}`);
    try {
      await fs.mkdir(aside);
      const files: Record<string, FileFacts> = {};
      for (const [name, tensors] of contents) {
        files[name] = await writeDurably(fs, join(aside, name), safetensorsPieces(tensors));
      }
      const digest = parameterDigest(parameters.map(({ values }) => values));
      const text = manifestText(createManifest(step, init.manifest, digest, files));
      await writeDurably(fs, join(aside, MANIFEST_FILE), [Buffer.from(text)]);
      await syncFolder(fs, aside);
      await moveInto(fs, aside, path);
      await pointTo(fs, directory, folderName(step));
      // Whoever may not write beside the run is found by its number.
      if (isRunFolder(directory))
        await pointTo(fs, dirname(directory), basename(directory)).catch(() => {});
      const removed = await removeOld(fs, init, path);
      return { path, digest, bytes: neededBytes, removed };
    } catch (error) {
      await fs.rm(aside, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  });
}

/** The tensors of each file, by name. */
function contentsOf(
  parameters: readonly Tensor[],
  slots: readonly Tensor[],
  given?: readonly number[],
): Map<string, readonly Tensor[]> {
  const contents = new Map<string, readonly Tensor[]>();
  const ranges = given?.filter((floats) => floats > 0) ?? [Number.POSITIVE_INFINITY];
  let from = 0;
  for (const [at, floats] of ranges.entries()) {
    const to = from + floats;
    contents.set(rangeFile(WEIGHTS_FILE, at, ranges.length), piecesOf(parameters, from, to));
    const states = slots.flatMap((slot) => piecesOf([slot], from, to));
    if (states.length > 0) contents.set(rangeFile(OPTIMIZER_FILE, at, ranges.length), states);
    from = to;
  }
  return contents;
}

function sizeOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { values }) => sum + values.byteLength, encodeHeader(tensors).length);
}

/** Renames; a checkpoint of the same step makes way, and comes back if that fails. */
async function moveInto(fs: FileSystem, aside: string, path: string): Promise<void> {
  if (!(await exists(path))) return fs.rename(aside, path);
  const old = `${aside}-old`;
  await fs.rename(path, old);
  try {
    await fs.rename(aside, path);
  } catch (error) {
    await fs.rename(old, path);
    throw error;
  }
  await fs.rm(old, { recursive: true, force: true }).catch(() => {});
}

const pointTo = (fs: FileSystem, directory: string, name: string) =>
  replaceDurably(fs, join(directory, LATEST_FILE), [Buffer.from(`${name}\n`)]);

/** What cannot be removed stays: the checkpoint is written, and that is what was asked for. */
async function removeOld(
  fs: FileSystem,
  { directory, step, keep, manifest: { plan } }: WriteCheckpointInit,
  path: string,
): Promise<string[]> {
  const removed: string[] = [];
  const remove = (target: string) =>
    fs.rm(target, { recursive: true, force: true }).then(
      () => true,
      () => false,
    );
  if (keep !== undefined) {
    for (const old of await superseded(directory, { step, plan, keep }))
      if (await remove(old)) removed.push(old);
  }
  for (const left of await leftovers(fs, directory, path).catch(() => [])) await remove(left);
  return removed;
}
