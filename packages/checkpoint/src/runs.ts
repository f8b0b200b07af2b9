import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';
import { badCheckpoint } from './bad-checkpoint.js';

/** In a folder of checkpoints the one written last; in a folder of runs the run that wrote last. */
export const LATEST_FILE = 'latest';

const RUN = /^run-(\d{4,})$/;
const STEP = /^step-\d{9,}$/;

const runName = (number: number) => `run-${String(number).padStart(4, '0')}`;

/** Whether a folder is that of one run among others. */
export const isRunFolder = (path: string) => RUN.test(basename(path));

/** Makes a folder for a run beside those of earlier ones. Runs that start together get one each. */
export async function createRunFolder(parent: string): Promise<string> {
  await ensureFolder(parent);
  const numbers = (await namesIn(parent)).map((name) => Number(RUN.exec(name)?.[1] ?? 0));
  for (let number = Math.max(0, ...numbers) + 1; ; number++) {
    const path = join(parent, runName(number));
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * The folders of runs in a folder: the one that wrote last, then from the newest to the oldest. A
 * folder that holds checkpoints itself is one of them. Throws BAD_CHECKPOINT if it cannot be read.
 */
export async function listRuns(directory: string): Promise<readonly string[]> {
  const names = await namesIn(directory);
  const named = await latestName(directory);
  const numbered = names
    .filter((name) => RUN.test(name))
    .sort((a, b) => Number(RUN.exec(b)![1]) - Number(RUN.exec(a)![1]));
  const runs = numbered.map((name) => join(directory, name));
  if (names.some((name) => STEP.test(name)) || STEP.test(named))
    runs[STEP.test(named) ? 'unshift' : 'push'](directory);
  const last = runs.indexOf(join(directory, named));
  if (last > 0) runs.unshift(...runs.splice(last, 1));
  if (runs.length === 0 && named !== '') throw gone(directory, named);
  return runs;
}

/** What the file `latest` says; '' if there is none. */
export const latestName = async (directory: string): Promise<string> =>
  (await readFile(join(directory, LATEST_FILE), 'utf8').catch(() => '')).trim();

/** None if there is no such folder. */
export async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw badCheckpoint(
      directory,
      `it cannot be read as a folder (${error.message})`,
      'See that it is a folder, and that you may read it.',
    );
  });
}

/** Something was written, and is not there any more: nobody begins anew without being told to. */
export const gone = (directory: string, named: string) =>
  badCheckpoint(
    directory,
    `its file \`${LATEST_FILE}\` names ${named}, and there is no checkpoint in it any more`,
    `Bring it back, or remove that file if the run is to begin from the start.`,
  );
