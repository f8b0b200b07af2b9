import { latestCheckpoints, locateCheckpoint, readManifest } from '@tutti/checkpoint';
import { isAlive, listRuns, readOwner } from '@tutti/checkpoint/internal';
import type { JobPlan } from '@tutti/protocol';
import { isTuttiError } from '@tutti/runtime';
import type { JobSettings } from '../plan/plan.js';

/**
 * The plan of the run that `resumeFrom` goes on with, as far as it shows before the program is opened:
 * for what follows from it and is needed earlier, such as a number of workers. Undefined where there is
 * none, or what there is cannot be read; why it cannot, `resumeFrom` says.
 * @param which `latest` or a path
 * @param programHash of the program that goes on
 */
export async function planToGoOn(
  which: string,
  directory: string,
  programHash: string,
  settings: JobSettings = {},
): Promise<JobPlan | undefined> {
  try {
    // Unnamed wait: the caller races it.
    const runs = which === 'latest' ? await idleRuns(directory) : [await locateCheckpoint(which)];
    for (const run of runs) {
      // Unnamed wait: the caller races it.
      for (const { path } of which === 'latest' ? await latestCheckpoints(run) : [{ path: run }]) {
        // Unnamed wait: the caller races it.
        const manifest = await readManifest(path).catch(() => undefined);
        if (manifest === undefined) continue;
        if (manifest.programHash === programHash && fits(manifest.plan, settings))
          return manifest.plan;
        break;
      }
    }
  } catch (error) {
    if (!isTuttiError(error)) throw error;
  }
  return undefined;
}

async function idleRuns(directory: string): Promise<readonly string[]> {
  const idle = [];
  // Unnamed wait: the caller races it.
  for (const run of await listRuns(directory)) {
    // Unnamed wait: the caller races it.
    const owner = await readOwner(run);
    if (owner === undefined || !isAlive(owner)) idle.push(run);
  }
  return idle;
}

const fits = (plan: JobPlan, settings: JobSettings) =>
  (['batchSize', 'seed', 'shards'] as const).every(
    (name) => settings[name] === undefined || settings[name] === plan[name],
  );
