import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EVENTS_FILE, listRuns, parseLines } from '@tutti/checkpoint/internal';
import { type Stamped, TuttiError, toTuttiError } from '@tutti/runtime';
import { type RunEvent, readEvent } from '@tutti/telemetry';

/**
 * The events that a run has left.
 * @param path the file, a folder of a run, or one of runs: then of the one that wrote last
 * @throws TuttiError STORAGE if there is none
 */
export async function readStoredEvents(
  path: string,
): Promise<{ readonly file: string; readonly events: readonly Stamped<RunEvent>[] }> {
  // Unnamed wait: the caller races it.
  const file = await fileOf(path);
  // Unnamed wait: the caller races it.
  const text = await readFile(file, 'utf8').catch((error) => {
    throw toTuttiError(error, 'STORAGE', `There are no events of a run in ${path}`, REMEDY);
  });
  const events = parseLines(text).flatMap((line) => readEvent(line) ?? []);
  if (events.length === 0)
    throw new TuttiError('STORAGE', `${file} holds no event of a run`, { remedy: REMEDY });
  return { file, events };
}

const REMEDY = `Give the folder of a run (tutti-runs/<program>/run-0001), or a file of what --json wrote; runs keep their events in ${EVENTS_FILE}.`;

async function fileOf(path: string): Promise<string> {
  // Unnamed wait: the caller races it.
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  // A checkpoint is in the folder of its run.
  const candidates = [path, ...(/^step-\d+$/.test(basename(path)) ? [dirname(path)] : [])];
  // Unnamed wait: the caller races it.
  for (const run of await listRuns(path).catch(() => [])) candidates.push(run);
  const written = candidates.map(async (folder) => {
    const file = join(folder, EVENTS_FILE);
    // Unnamed wait: the caller races it.
    const found = await stat(file).catch(() => undefined);
    return found === undefined ? [] : [{ file, at: found.mtimeMs }];
  });
  // Unnamed wait: the caller races it.
  const files = (await Promise.all(written)).flat();
  return files.sort((a, b) => b.at - a.at)[0]?.file ?? join(path, EVENTS_FILE);
}
