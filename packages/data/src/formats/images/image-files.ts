import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badData, fileError } from '../../contract/bad-data.js';
import type { Notice } from '../../contract/dataset.js';

/** The images of a folder, one subfolder a class, by name. */
export interface ImageFiles {
  readonly classes: readonly string[];
  readonly files: readonly string[];
  /** The class of each file. */
  readonly labels: readonly number[];
  /** What was passed over. */
  readonly notices: readonly Notice[];
}

const EXTENSIONS = /\.(png|jpe?g|webp|gif|avif|tiff?)$/i;

/**
 * Finds the images. Links are followed, to folders and to files.
 * @param wanted the classes; all subfolders if not given
 * @throws TuttiError BAD_DATA: no such folder, a class without images, a link that leads nowhere, two
 *   classes that are one folder
 */
export async function findImages(
  folder: string,
  wanted: readonly string[] | undefined,
): Promise<ImageFiles> {
  const passedOver = createPassedOver(folder);
  const found = await subfolders(folder, passedOver);
  const classes = wanted ?? found;
  if (classes.length === 0) {
    throw badData('has no subfolders', 'Give a folder with one subfolder of images a class.', {
      file: folder,
    });
  }
  for (const name of found)
    if (!classes.includes(name)) passedOver.see('that `classes` does not name', name);
  const files: string[] = [];
  const labels: number[] = [];
  const classOf = new Map<string, string>();
  for (const [label, name] of classes.entries()) {
    const inside = join(folder, name);
    const images = await imagesIn(inside, name, passedOver);
    if (images.length === 0) {
      throw badData(
        'has no images (png, jpg, webp, gif, avif or tiff)',
        'Add images of this class or remove the folder.',
        { file: inside },
      );
    }
    const real = await realpath(inside);
    const other = classOf.get(real);
    if (other !== undefined)
      throw badData(
        `is the same folder as class ${other}`,
        'Remove one of the two: the same images cannot be of two classes.',
        { file: inside },
      );
    classOf.set(real, name);
    for (const image of images) {
      files.push(join(inside, image));
      labels.push(label);
    }
  }
  return { classes, files, labels, notices: passedOver.notices() };
}

async function subfolders(folder: string, passedOver: PassedOver): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const { name } = entry;
    if (name.startsWith('.')) passedOver.see('hidden', name);
    else if ((await kindOf(folder, entry)).isDirectory()) names.push(name);
    else passedOver.see('beside the folders', name);
  }
  return names;
}

async function imagesIn(
  folder: string,
  shownAs: string,
  passedOver: PassedOver,
): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const { name } = entry;
    if (name.startsWith('.')) passedOver.see('hidden', join(shownAs, name));
    else if (EXTENSIONS.test(name) && (await kindOf(folder, entry)).isFile()) names.push(name);
    else
      passedOver.see(entry.isDirectory() ? 'folders in folders' : 'no images', join(shownAs, name));
  }
  return names;
}

/** Sorted by character code, so that an example has the same index on every machine. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
}

/** What an entry is, or what it links to. */
async function kindOf(
  folder: string,
  entry: Dirent,
): Promise<Pick<Stats, 'isFile' | 'isDirectory'>> {
  if (!entry.isSymbolicLink()) return entry;
  const file = join(folder, entry.name);
  try {
    return await stat(file);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ELOOP') throw fileError(thrown, file);
    throw badData(
      code === 'ELOOP' ? 'is a link that leads back to itself' : 'is a link that leads nowhere',
      'Mend or remove the link.',
      { file, cause: thrown },
    );
  }
}

/** Counts what is no example, by the reason for it. */
interface PassedOver {
  see(reason: string, name: string): void;
  notices(): Notice[];
}

function createPassedOver(folder: string): PassedOver {
  const byReason = new Map<string, { count: number; readonly some: string[] }>();
  return {
    see(reason, name) {
      const seen = byReason.get(reason) ?? { count: 0, some: [] };
      byReason.set(reason, seen);
      if (seen.count++ < 3) seen.some.push(name);
    },
    notices() {
      if (byReason.size === 0) return [];
      const parts = [...byReason].map(([reason, { count, some }]) => {
        const more = count > some.length ? ', …' : '';
        return `${count} ${reason} (${some.join(', ')}${more})`;
      });
      return [
        {
          message: `${folder}: passed over ${parts.join('; ')}`,
          remedy:
            'Nothing, if that is meant. Images end in png, jpg, webp, gif, avif or tiff, and lie in the folder of their class itself.',
        },
      ];
    },
  };
}
