import { createHash, type Hash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badCheckpoint } from './bad-checkpoint.js';
import { locateCheckpoint } from './folder.js';
import {
  type FileFacts,
  MANIFEST_FILE,
  type Manifest,
  OPTIMIZER_FILE,
  parseManifest,
  WEIGHTS_FILE,
} from './manifest.js';
import { joined, rangeFiles, tensorsOf, wholeName } from './ranges.js';
import { readSafetensors } from './safetensors.js';
import type { Tensor } from './safetensors-header.js';

/** No manifest comes near it; more is not one. */
const MAX_MANIFEST_BYTES = 64 << 20;

export interface Checkpoint {
  /** The folder it was read from. */
  readonly path: string;
  readonly step: number;
  readonly manifest: Manifest;
  /** In declared order. */
  readonly parameters: readonly Tensor[];
  readonly slots: readonly { readonly name: string; readonly values: Float32Array }[];
}

export interface Expectation {
  /** The program that is to go on with it. */
  readonly programHash?: string;
  /** The stored parameters that it must hold, in this order. */
  readonly parameters?: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * Reads a checkpoint folder, or the latest in a folder of checkpoints, and verifies every byte
 * against its checksums. Throws BAD_CHECKPOINT with the file and the reason for one that is torn,
 * truncated, changed, of another format, or not what was expected.
 */
export async function readCheckpoint(
  path: string,
  expected: Expectation = {},
): Promise<Checkpoint> {
  const folder = await locateCheckpoint(path);
  const manifest = await readManifest(folder);
  refuseForeign(folder, manifest, expected);
  const data = createHash('sha256');
  const pieces = await readRanges(folder, WEIGHTS_FILE, manifest, data);
  const digest = data.digest('hex');
  if (digest !== manifest.digest) {
    throw badCheckpoint(folder, `its weights have digest ${digest}, not ${manifest.digest}`);
  }
  const parameters = parametersOf(folder, pieces, manifest);
  refuseOtherParameters(folder, parameters, expected);
  const slots = slotsOf(await readRanges(folder, OPTIMIZER_FILE, manifest));
  return { path: folder, step: manifest.step, manifest, parameters, slots };
}
/** The manifest of a checkpoint folder alone, verified against its own checksum. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_FILE);
  try {
    const { size } = await stat(path);
    if (size > MAX_MANIFEST_BYTES) throw new Error(`it has ${size} bytes`);
    return parseManifest(path, await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as { code?: string }).code === 'BAD_CHECKPOINT') throw error;
    throw badCheckpoint(path, (error as Error).message);
  }
}

/** The tensors of all files that the servers' ranges have, in order, verified. */
async function readRanges(folder: string, name: string, manifest: Manifest, data?: Hash) {
  const tensors: Tensor[][] = [];
  for (const file of rangeFiles(name, Object.keys(manifest.files)))
    tensors.push(await readVerified(folder, file, manifest.files[file]!, data));
  if (tensors.length === 0 && name === WEIGHTS_FILE)
    throw badCheckpoint(folder, `its manifest lists no ${name}`);
  return tensors;
}

function parametersOf(folder: string, ranges: readonly Tensor[][], { plan }: Manifest): Tensor[] {
  if (ranges.length === 1) return ranges[0]!;
  const parameters = tensorsOf(joined(ranges.flat()), plan.parameters);
  if (parameters === undefined)
    throw badCheckpoint(folder, 'its weights are not as many as its parameters');
  return parameters;
}

function slotsOf(ranges: readonly Tensor[][]): { name: string; values: Float32Array }[] {
  const pieces = new Map<string, Tensor[]>();
  for (const tensor of ranges.flat()) {
    const name = wholeName(tensor.name);
    pieces.set(name, [...(pieces.get(name) ?? []), tensor]);
  }
  return [...pieces].map(([name, parts]) => ({ name, values: joined(parts) }));
}

async function readVerified(
  folder: string,
  name: string,
  facts: FileFacts,
  data?: Hash,
): Promise<Tensor[]> {
  const path = join(folder, name);
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== facts.bytes) {
    const found = size === undefined ? 'it is missing' : `it has ${size} bytes`;
    throw badCheckpoint(path, `${found}, the manifest says ${facts.bytes}`);
  }
  const whole = createHash('sha256');
  const { tensors } = await readSafetensors(path, {
    bytes: (bytes) => whole.update(bytes),
    data: (bytes) => data?.update(bytes),
  });
  const sha256 = whole.digest('hex');
  if (sha256 !== facts.sha256) {
    throw badCheckpoint(path, `its SHA-256 is ${sha256}, the manifest says ${facts.sha256}`);
  }
  return [...tensors];
}

function refuseForeign(folder: string, manifest: Manifest, { programHash }: Expectation): void {
  if (programHash !== undefined && manifest.programHash !== programHash) {
    throw badCheckpoint(
      folder,
      `it is of another program (${manifest.plan.programName}, hash ${manifest.programHash}, ` +
        `expected ${programHash})`,
      'Use the program that wrote it, as it was then, or another folder.',
    );
  }
}

function refuseOtherParameters(
  folder: string,
  tensors: readonly Tensor[],
  { parameters }: Expectation,
): void {
  if (parameters === undefined) return;
  const text = (item: { name: string; shape: readonly number[] } | undefined) =>
    item === undefined ? 'nothing' : `${item.name} [${item.shape.join(', ')}]`;
  for (let i = 0; i < Math.max(parameters.length, tensors.length); i++) {
    if (text(parameters[i]) !== text(tensors[i])) {
      throw badCheckpoint(
        folder,
        `its parameter ${i} is ${text(tensors[i])}, but the program has ${text(parameters[i])}`,
        'Use a checkpoint of this model.',
      );
    }
  }
}
