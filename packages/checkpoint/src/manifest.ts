import { createHash } from 'node:crypto';
import { type JobPlan, planFault } from '@tutti/protocol';
import { isRecord, tuttiVersion } from '@tutti/runtime';
import { badCheckpoint } from './bad-checkpoint.js';

/** Both with the number of the range before the ending, if there is more than one server. */
export const WEIGHTS_FILE = 'weights.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const MANIFEST_FILE = 'manifest.json';

const FORMAT = 'tutti-checkpoint';
const FORMAT_VERSION = 1;

/** What the run tells about itself; whoever resumes compares it. */
export interface CheckpointFacts {
  readonly seed: number;
  readonly programHash: string;
  readonly plan: JobPlan;
  /** Versions of Tutti, Node, TensorFlow, ... */
  readonly versions: Readonly<Record<string, string>>;
  /** The job that wrote it. */
  readonly job?: string;
  /** How good these weights are on the evaluation set, where that is known. */
  readonly evaluation?: Means;
  /** What the run had counted: for whoever goes on. */
  readonly progress?: unknown;
}

/** Loss and metrics as means over examples. */
export interface Means {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

export interface Manifest extends CheckpointFacts {
  readonly format: typeof FORMAT;
  readonly formatVersion: typeof FORMAT_VERSION;
  /** The version of the weights: steps that are in them. */
  readonly step: number;
  /** See `parameterDigest`. */
  readonly digest: string;
  /** By file name; the optimizer's are missing if it keeps no state. */
  readonly files: Readonly<Record<string, FileFacts>>;
}

export function createManifest(
  step: number,
  facts: CheckpointFacts,
  digest: string,
  files: Readonly<Record<string, FileFacts>>,
): Manifest {
  const kind = { format: FORMAT, formatVersion: FORMAT_VERSION } as const;
  return { ...kind, step, digest, ...facts, files };
}

/** The text of manifest.json. It ends with a checksum of itself. */
export function manifestText(manifest: Manifest): string {
  // Through JSON once, so that a reader's serialisation of what it parsed is the same text.
  const body = JSON.parse(JSON.stringify(manifest)) as Manifest;
  const checksum = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return `${JSON.stringify({ ...body, checksum }, null, 2)}\n`;
}

/** Checks that every character is as it was written. Throws BAD_CHECKPOINT. */
export function parseManifest(path: string, text: string): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw badCheckpoint(path, `it is no JSON (${(error as Error).message})`);
  }
  const { checksum, ...body } = (parsed ?? {}) as Manifest & { checksum?: unknown };
  if (body.format !== FORMAT) throw badCheckpoint(path, 'it is no manifest of a Tutti checkpoint');
  if (body.formatVersion !== FORMAT_VERSION) throw otherFormat(path, body);
  if (manifestText(body) !== text) throw badCheckpoint(path, 'it does not match its own checksum');
  const fault = faultOf(body);
  if (fault !== undefined) throw badCheckpoint(path, `its ${fault}`);
  return body;
}

/** Nothing is known of such a manifest: what it says of its writer is repeated if it is text. */
function otherFormat(path: string, { formatVersion, versions }: Manifest) {
  const tutti: unknown = versions?.tutti;
  const writer = typeof tutti === 'string' ? `Tutti ${tutti}` : 'another version of Tutti';
  return badCheckpoint(
    path,
    `${writer} wrote it in version ${formatVersion} of the format, and this Tutti ${tuttiVersion()} reads version ${FORMAT_VERSION}`,
    `Use ${writer}, or another checkpoint.`,
  );
}

/** A checksum says that it is as it was written, not that Tutti wrote it. */
function faultOf(body: { readonly [Name in keyof Manifest]: unknown }): string | undefined {
  const { step, digest, files, seed, programHash, plan, versions, job } = body;
  if (!isWhole(step)) return `step is ${JSON.stringify(step)}, not a whole number`;
  if (!Number.isSafeInteger(seed)) return `seed is ${JSON.stringify(seed)}, not an integer`;
  if (!isText(digest)) return 'digest is no text';
  if (!isText(programHash)) return 'hash of the program is no text';
  if (job !== undefined && !isText(job)) return 'job is no text';
  if (!isMapOf(versions, isText)) return 'list of versions is none';
  if (!isMapOf(files, isFileFacts)) return 'list of files is none';
  const fault = planFault(plan);
  return fault === undefined ? undefined : `plan${fault}`;
}

const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === 'string';
const isMapOf = (value: unknown, is: (item: unknown) => boolean) =>
  isRecord(value) && Object.values(value).every(is);
const isFileFacts = (value: unknown) =>
  isRecord(value) && isWhole(value.bytes) && isText(value.sha256);
