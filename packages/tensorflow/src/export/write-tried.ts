import { rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureFolder, toTuttiError } from '@tutti/runtime';

/**
 * Writes the files of a model into `directory`. They get their names, in this order, once they were tried;
 * if anything fails, nothing of them is left.
 * @param tryOut is given the path of each file, as it is called until then
 * @throws TuttiError STORAGE if one cannot be written, and whatever `tryOut` throws of that kind
 */
export async function writeTried(
  directory: string,
  files: readonly (readonly [name: string, content: string | Uint8Array])[],
  tryOut: (pathOf: (name: string) => string) => Promise<void>,
): Promise<void> {
  const partial = (name: string) => join(directory, `${name}.partial`);
  try {
    await ensureFolder(directory);
    for (const [name, content] of files) await writeFile(partial(name), content);
    await tryOut(partial);
    for (const [name] of files) await rename(partial(name), join(directory, name));
  } catch (error) {
    for (const [name] of files) await rm(partial(name), { force: true }).catch(() => {});
    throw toTuttiError(
      error,
      'STORAGE',
      `The model could not be written to ${resolve(directory)}`,
      'Choose a folder that is writable and has room.',
    );
  }
}
