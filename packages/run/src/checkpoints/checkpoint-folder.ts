import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latestCheckpoints, readManifest } from '@tutti/checkpoint';
import {
  createCheckpointWriter,
  createLineLog,
  type FileSystem,
  type LineLog,
  STEPS_FILE,
} from '@tutti/checkpoint/internal';
import { layoutOf } from '@tutti/parameters';
import { PROTOCOL_VERSION } from '@tutti/protocol';
import { toTuttiError, tuttiVersion } from '@tutti/runtime';
import { warningOf } from '@tutti/telemetry';
import type { ProgressState } from '../progress/progress.js';
import type { BestState } from '../progress/steering.js';
import {
  bestName,
  firstGood,
  readPoint,
  refuseOther,
  type SavedProgress,
  slotName,
} from './resume-point.js';
import { findUnfinished, openRunFolder, type RunFolder } from './run-folder.js';
import type { CheckpointInterval, CheckpointSink, Snapshot } from './snapshot.js';

export interface CheckpointFolderInit {
  /** The folder of checkpoints; may depend on the name of the program. */
  readonly directory: string | ((programName: string) => string);
  /** Each run gets a folder of its own in `directory`. Default: that is the folder of one run. */
  readonly runs?: boolean | undefined;
  readonly every?: CheckpointInterval | undefined;
  /** How many of the newest of a run stay. Default 3. */
  readonly keep?: number | undefined;
  /** `loss`, or a metric of the evaluation: the best checkpoint by it stays too. */
  readonly best?: string | undefined;
  readonly fileSystem?: FileSystem | undefined;
}

/** How many of the newest checkpoints stay. */
export const DEFAULT_KEEP = 3;

/** Checkpoints as folders of files, written in a thread of their own. */
export function createCheckpointFolder(init: CheckpointFolderInit): CheckpointSink {
  const { every, keep: newest = DEFAULT_KEEP, best, fileSystem } = init;
  const writer = createCheckpointWriter();
  // The version of the code that runs, whatever is installed in its place meanwhile.
  const own = {
    tutti: tuttiVersion(),
    node: process.version,
    protocol: String(PROTOCOL_VERSION),
  };
  let log: LineLog | undefined;
  const disk = fileSystem === undefined ? {} : { fileSystem };
  let folder: RunFolder | undefined;
  const folderOf = (programName: string) =>
    folder?.directory ?? directoryOf(init.directory, programName);

  /** What is written now; the memory passes to the writer. */
  const write = (snapshot: Snapshot, directory: string) =>
    writer.write({
      directory,
      keep: { newest, best: best ?? 'loss' },
      ...contentOf(snapshot, own),
      ...disk,
    });

  return {
    ...(every === undefined ? {} : { every }),
    ...(best === undefined ? {} : { best }),
    async begin({ plan, ...run }) {
      const root = directoryOf(init.directory, plan.programName);
      folder = await openRunFolder({ root, runs: init.runs ?? false, plan, ...run });
      return folder.directory;
    },
    unfinished: ({ programName, ...request }) =>
      findUnfinished(directoryOf(init.directory, programName), request),
    async write(snapshot, last, emit) {
      const directory = folderOf(snapshot.plan.programName);
      if (!last) return write(snapshot, directory);
      try {
        return await write(copyOf(snapshot), directory);
      } catch (thrown) {
        // Hours of training are not lost for a full disk.
        const error = toTuttiError(
          thrown,
          'STORAGE',
          `The trained model could not be saved in ${directory}`,
          'Make room there or choose another --checkpoint-dir.',
        );
        const refuge = join(tmpdir(), `tutti-${snapshot.job}`);
        const { path } = await writer.write({
          directory: refuge,
          ...contentOf(copyOf(snapshot), own),
        });
        emit(warningOf(error, `${error.message}. It was saved in ${path} instead`));
        return { path, unsaved: error };
      }
    },
    async latest({ job, plan, upTo, emit }) {
      const directory = folderOf(plan.programName);
      // Unnamed wait: the caller races it.
      const listed = (await latestCheckpoints(directory)).filter(({ step }) => step <= upTo);
      const { point } = await firstGood(listed, emit, async (path) => {
        // Unnamed wait: the caller races it.
        const manifest = await readManifest(path);
        if (manifest.job !== job) return undefined;
        refuseOther(path, manifest, plan);
        return readPoint(path, plan);
      });
      return point;
    },
    record(programName, record) {
      log ??= createLineLog(folderOf(programName), STEPS_FILE);
      return log.append(record);
    },
    async close() {
      await log?.close();
      await writer.close();
      await folder?.close();
    },
  };
}

export const directoryOf = (directory: CheckpointFolderInit['directory'], programName: string) =>
  typeof directory === 'string' ? directory : directory(programName);

const copyOf = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  flat: snapshot.flat.slice(),
  slots: snapshot.slots.map((slot) => slot.slice()),
});

function contentOf(snapshot: Snapshot, own: Snapshot['versions']) {
  const { job, plan, step, flat, slots, ranges, progress, evaluation, best, versions } = snapshot;
  const values = layoutOf(plan).views(flat);
  return {
    step,
    ranges,
    parameters: plan.parameters.map(({ name, shape }) => ({ name, shape, values: values[name]! })),
    slots: [
      ...slots.map((vector, at) => ({ name: slotName(at), values: vector })),
      ...(best === undefined ? [] : [best.flat, ...best.slots]).map((vector, at) => ({
        name: bestName(at),
        // It is kept, and may be written again.
        values: vector.slice(),
      })),
    ],
    manifest: {
      seed: plan.seed,
      programHash: plan.programHash,
      plan,
      job,
      versions: { ...own, ...versions },
      ...(progress === undefined ? {} : { progress: savedProgress(progress, best) }),
      ...(evaluation === undefined ? {} : { evaluation }),
    },
  };
}

function savedProgress(progress: ProgressState, best: BestState | undefined): SavedProgress {
  if (best === undefined) return progress;
  const { flat: _flat, slots: _slots, ...facts } = best;
  return { ...progress, best: facts };
}
