import { checkKeys } from '@tutti/runtime';
import type { Dataset } from '../../contract/dataset.js';
import { checkIndices } from '../../contract/indices.js';
import { checkNumbers } from '../../contract/options.js';
import { createDecoder } from '../../files/elements.js';
import { findImages } from './image-files.js';
import { createImageDecoder, type ImageSize } from './images.js';

export interface ImageFolderOptions extends ImageSize {
  /** Pixels, 0 to 255, are multiplied by this. Default 1/255. */
  readonly scale?: number | undefined;
  /**
   * The subfolders in the order of their classes. Default: all of them, sorted by character code.
   * Give it where a part of the data may lack a class.
   */
  readonly classes?: readonly string[] | undefined;
}

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
 * index on every machine. Links are followed; hidden files, other kinds of files and folders within
 * those of the classes are passed over, which the run says.
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
  checkNumbers('imageFolder()', { scale: options.scale });
  const { width, height, channels, scale = 1 / 255 } = options;
  const decode = await createImageDecoder(options);
  const { classes, files, labels, notices } = await findImages(folder, options.classes);
  const pixels = width * height * channels;
  const decoder = createDecoder({ kind: 'uint8', littleEndian: true }, { scale });
  return {
    size: files.length,
    classes,
    notices,
    origin: (index) => files[index]!,
    async read(indices, only) {
      checkIndices(indices, files.length, folder);
      const count = indices.length;
      const y = { data: Int32Array.from(indices, (index) => labels[index]!), shape: [count] };
      if (only !== undefined && !only.includes('x')) return { y };
      const x = decoder.create(count * pixels);
      await Promise.all(
        Array.from(indices, async (index, i) => {
          const file = files[index]!;
          decoder.decode(await decode(file, { file }), 0, pixels, x, i * pixels);
        }),
      );
      return { x: { data: x, shape: [count, height, width, channels] }, y };
    },
  };
}
