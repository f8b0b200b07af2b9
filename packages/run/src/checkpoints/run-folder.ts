import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { latestCheckpoints, type Manifest, readManifest } from '@tutti/checkpoint';
import {
  type Claim,
  claimFolder,
  createRunFolder,
  isAlive,
  isRunFolder,
  listRuns,
  planDifferences,
  readOwner,
} from '@tutti/checkpoint/internal';
import { dataDifference, type JobPlan } from '@tutti/protocol';
import { ensureFolder, isTuttiError, TuttiError } from '@tutti/runtime';
import type { Unfinished } from './snapshot.js';

/** The folder that a run writes into, and nobody else while it does. */
export interface RunFolder {
  readonly directory: string;
  /** Gives it back; one into which nothing was written is removed. */
  close(): Promise<void>;
}

/**
 * Finds or makes the folder of a run.
 * @param init.root the folder of this one run, or with `runs` that in which each has one of its own
 * @param init.from the checkpoint that it goes on from: it goes on writing beside it, if that is in
 *   `root`
 * @throws TuttiError FOLDER_IN_USE if it holds another run, or a living process writes into it
 */
export async function openRunFolder(init: {
  readonly root: string;
  readonly runs: boolean;
  readonly job: string;
  readonly plan: JobPlan;
  readonly from: string | undefined;
  /** Where its workers reach it, if their processes hold the weights. */
  readonly coordinator?: string;
}): Promise<RunFolder> {
  const { root, job, plan, coordinator } = init;
  const earlier = (await homeOf(root, init.from)) ?? (await folderOfJob(root, job));
  if (earlier === undefined && !init.runs) await refuseOtherRun(root, plan);
  let directory = earlier ?? root;
  let claim: Claim | undefined;
  let isNew = false;
  try {
    if (earlier === undefined && init.runs) {
      // Unnamed wait: the caller races it.
      directory = await createRunFolder(root);
      isNew = true;
    } else if (!existsSync(directory)) {
      // Unnamed wait: the caller races it.
      await ensureFolder(directory);
      isNew = true;
    }
    // Unnamed wait: the caller races it.
    claim = await claimFolder(
      directory,
      job,
      coordinator === undefined ? {} : { coordinator, program: plan.programHash },
    );
  } catch (error) {
    if (isTuttiError(error)) throw error;
    // Whoever cannot write there is told so when something is to be written.
  }
  return {
    directory,
    async close() {
      // Unnamed wait: the caller races it.
      await claim?.release();
      // Unnamed wait: the caller races it. Only an empty one can be removed.
      if (isNew) await rmdir(directory).catch(() => {});
    },
  };
}

/** The run in `root` that a checkpoint belongs to. */
async function homeOf(root: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const home = dirname(resolve(path));
  if (home === resolve(root)) return root;
  return isRunFolder(home) && dirname(home) === resolve(root) ? dirname(path) : undefined;
}

/** That of a job whose coordinator was started again: the servers still hold it. */
async function folderOfJob(root: string, job: string): Promise<string | undefined> {
  // Unnamed wait: the caller races it.
  for (const directory of await listRuns(root).catch(() => [])) {
    // Unnamed wait: the caller races it.
    const owner = await readOwner(directory);
    if (owner?.job === job && !isAlive(owner)) return directory;
    if ((await newestManifest(directory))?.job === job) return directory;
  }
  return undefined;
}

/**
 * The newest job of a program in `root`, or in a run there, that a coordinator of this machine had begun when it
 * was killed, and whose weights were with its workers. A folder that cannot be read tells of none.
 * @param killed.coordinator where they reached it
 */
export async function findUnfinished(
  root: string,
  killed: { readonly programHash: string; readonly coordinator: string },
): Promise<Unfinished | undefined> {
  const found: { readonly directory: string; readonly job: string }[] = [];
  // Unnamed wait: the caller races it.
  for (const directory of new Set([root, ...(await listRuns(root).catch(() => []))])) {
    // Unnamed wait: the caller races it.
    const owner = await readOwner(directory);
    if (owner?.coordinator !== killed.coordinator || owner.program !== killed.programHash) continue;
    // Of a process of another machine nobody knows here whether it lives.
    if (owner.host !== hostname() || isAlive(owner)) continue;
    found.push({ directory, job: owner.job });
  }
  const [newest] = found;
  if (newest === undefined) return undefined;
  return {
    job: newest.job,
    async forget() {
      for (const { directory, job } of found) {
        // Unnamed wait: the caller races it. Where nobody can write it is found again.
        const claim = await claimFolder(directory, job).catch(() => undefined);
        // Unnamed wait: the caller races it.
        await claim?.release();
      }
    },
  };
}

/** The same experiment gives the same bits again: nothing is lost then. */
async function refuseOtherRun(root: string, plan: JobPlan): Promise<void> {
  const there = await newestManifest(root);
  if (there === undefined) return;
  const data = dataDifference(there.plan.data, plan.data);
  const differences = [
    ...planDifferences(withoutChunks(plan), withoutChunks(there.plan)),
    ...(data === undefined ? [] : [`the ${data.set} data: this run has ${data.what}`]),
  ];
  if (differences.length === 0) return;
  throw new TuttiError(
    'FOLDER_IN_USE',
    `${root} holds the checkpoints of another run, up to step ${there.step}: ${differences.join('; ')}`,
    {
      remedy: `Give this run a --checkpoint-dir of its own (without one it gets a new folder in tutti-runs); --from ${root} has it begin with the weights of that one. Or go on with that one, without what differs, by --resume latest.`,
      details: { directory: root, step: there.step, differences },
    },
  );
}

/** The cut into chunks follows from the number of servers, which is no part of the experiment. */
function withoutChunks({ chunkFloats: _, ...experiment }: JobPlan): JobPlan {
  return experiment;
}

/** The wait for the folder of a run. */
export const openingFolder = {
  who: 'the disk',
  what: 'open the folder for checkpoints',
  remedy: 'See whether it answers.',
};

async function newestManifest(directory: string): Promise<Manifest | undefined> {
  // Unnamed wait: the caller races it.
  for (const { path } of await latestCheckpoints(directory).catch(() => [])) {
    // Unnamed wait: the caller races it.
    const manifest = await readManifest(path).catch(() => undefined);
    if (manifest !== undefined) return manifest;
  }
  return undefined;
}
