import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkKeys } from '@tutti/runtime';
import { badData, fileError } from './bad-data.js';
import type { Dataset } from './dataset.js';
import { createDecoder } from './elements.js';
import { createImageDecoder, type ImageSize } from './images.js';
import { checkIndices } from './indices.js';

export interface ImageFolderOptions extends ImageSize {
  /** Pixels, 0 to 255, are multiplied by this. Default 1/255. */
  readonly scale?: number | undefined;
  /**
   * The subfolders in the order of their classes. Default: all of them, sorted by character code.
   * Give it where a part of the data may lack a class.
   */
  readonly classes?: readonly string[] | undefined;
}

const EXTENSIONS = /\.(png|jpe?g|webp|gif|avif|tiff?)$/i;

const KNOWN: Readonly<Record<keyof ImageFolderOptions, true>> = {
  width: true,
  height: true,
  channels: true,
  scale: true,
  classes: true,
};

/**
 * A data set of image files, one subfolder a class: `x` is float32 [n, height, width, channels], `y`
 * the int32 class. Folders and files are sorted by character code, so that an example has the same
 * index on every machine; hidden files and other kinds of files are passed over.
 *
 * Only the names are held in memory; images are decoded when they are read.
 *
 * @example await imageFolder('flowers/train', { width: 96, height: 96, channels: 3 })
 * @throws TuttiError BAD_DATA: no such folder, a class without images; on reading, a damaged image
 */
export async function imageFolder(
  folder: string,
  options: ImageFolderOptions,
): Promise<Dataset & { readonly classes: readonly string[] }> {
  checkKeys('imageFolder', options, KNOWN);
  const { width, height, channels, scale = 1 / 255 } = options;
  const decode = await createImageDecoder(options);
  const classes = options.classes ?? (await listOf(folder, (entry) => entry.isDirectory()));
  if (classes.length === 0) {
    throw badData('has no subfolders', 'Give a folder with one subfolder of images a class.', {
      file: folder,
    });
  }
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const inside = join(folder, name);
    const images = await listOf(inside, (entry) => EXTENSIONS.test(entry.name));
    if (images.length === 0) {
      throw badData(
        'has no images (png, jpg, webp, gif, avif or tiff)',
        'Add images of this class or remove the folder.',
        { file: inside },
      );
    }
    for (const image of images) {
      files.push(join(inside, image));
      labels.push(label);
    }
  }

  const pixels = width * height * channels;
  const decoder = createDecoder({ kind: 'uint8', littleEndian: true }, { scale });
  return {
    size: files.length,
    classes,
    async read(indices) {
      checkIndices(indices, files.length, folder);
      const count = indices.length;
      const x = decoder.create(count * pixels);
      await Promise.all(
        Array.from(indices, async (index, i) => {
          const file = files[index]!;
          decoder.decode(await decode(file, { file }), 0, pixels, x, i * pixels);
        }),
      );
      return {
        x: { data: x, shape: [count, height, width, channels] },
        y: { data: Int32Array.from(indices, (index) => labels[index]!), shape: [count] },
      };
    },
  };
}

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
}

async function listOf(folder: string, wanted: (entry: Entry) => boolean): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith('.') && wanted(entry))
      .map(({ name }) => name)
      .sort();
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
}
