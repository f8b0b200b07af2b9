import type { Sharp, SharpOptions } from 'sharp';
import { badData } from '../../contract/bad-data.js';

export interface ImageSize {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: red, green, blue. */
  readonly channels: 1 | 3;
}

/** Decodes an image (a path, or the bytes of a file) to height x width x channels bytes. */
export type DecodeImage = (image: string | Uint8Array, place: ImagePlace) => Promise<Uint8Array>;

export interface ImagePlace {
  readonly file: string;
  readonly offset?: number;
}

/**
 * Makes a decoder of PNG, JPEG, WebP, GIF, AVIF and TIFF images that turns them upright, drops
 * transparency and stretches them to the size asked for. It runs on libuv's thread pool.
 *
 * The bytes depend on the version of sharp, so a cluster needs the same one everywhere.
 */
export async function createImageDecoder(size: ImageSize): Promise<DecodeImage> {
  const { width, height, channels } = size;
  for (const [name, value] of Object.entries({ width, height })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw badData(`the ${name} of images is ${value}`, 'Give width and height in whole pixels.');
  }
  // Loaded here, since most programs read no images and the library is large.
  const { default: sharp } = await import('sharp');
  return async (image, place) => {
    try {
      const input = sharp(image);
      const { depth, hasAlpha } = await input.metadata();
      // Other numbers, as a TIFF file may have, would be cut off at 0 and 255.
      if (depth !== 'uchar' && depth !== 'ushort')
        throw new Error(`its pixels are of type ${depth}, not of 8 or 16 bits without a sign`);
      const { data, info } = await (hasAlpha ? sharp(...(await withoutAlpha(input))) : input)
        .autoOrient()
        .resize(width, height, { fit: 'fill' })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true });
      if (info.channels === channels) return data;
      throw new Error(`${info.channels} channels instead of ${channels}`);
    } catch (thrown) {
      throw badData(
        `cannot be decoded as an image (${(thrown as Error).message})`,
        'Replace or remove it; it may be truncated, or no image at all.',
        { ...place, cause: thrown },
      );
    }
  };
}

/** The pixels of an image, upright. What is transparent keeps its colour, which stretching would darken. */
async function withoutAlpha(image: Sharp): Promise<[Buffer, SharpOptions]> {
  const { data, info } = await image
    .autoOrient()
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return [data, { raw: { width, height, channels } }];
}
