import { arrays, type Batch, type Dataset, slice, take } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import { mnist } from '../src/datasets/mnist.js';
import { setting } from './settings.js';

const TRAINING = 12_000;
const VALIDATION = 2_000;
/** Width of an image of MNIST, and of what is left when each two by two pixels are one. */
const WIDTH = 28;
export const SIDE = WIDTH / 2;

/**
 * Digits of MNIST, each turned by an angle of its own, as in Larochelle et al. (2007), but 14 x 14 pixels: 12,000
 * to train, 10,000 to test. With `VALIDATION=1` the 2,000 that follow in the training set take the place of the
 * test set.
 */
export async function rotatedDigits(): Promise<{ training: Dataset; evaluation: Dataset }> {
  const { training, evaluation } = await mnist();
  const isTest = setting('VALIDATION', 0) === 0;
  return {
    training: await turned(take(training, TRAINING), 'training'),
    evaluation: isTest
      ? await turned(evaluation, 'test')
      : await turned(slice(training, TRAINING, TRAINING + VALIDATION), 'validation'),
  };
}

async function turned(dataset: Dataset, part: string): Promise<Dataset> {
  const { x, y }: Batch = await dataset.read(Array.from({ length: dataset.size }, (_, at) => at));
  const random = createRandom('rotated-digits', part);
  const images = new Float32Array(dataset.size * SIDE * SIDE);
  for (let n = 0; n < dataset.size; n++) {
    const image = x!.data.subarray(n * WIDTH * WIDTH, (n + 1) * WIDTH * WIDTH) as Float32Array;
    halved(turn(image, 2 * Math.PI * random.next()), images.subarray(n * SIDE * SIDE));
  }
  return arrays({ x: { data: images, shape: [dataset.size, SIDE, SIDE, 1] }, y: y! });
}

/** Between the four pixels that a turned place lies among, in proportion. */
function turn(image: Float32Array, angle: number): Float32Array {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const middle = (WIDTH - 1) / 2;
  const pixel = (row: number, column: number) =>
    row < 0 || row >= WIDTH || column < 0 || column >= WIDTH ? 0 : image[row * WIDTH + column]!;
  return image.map((_, at) => {
    const [y, x] = [Math.floor(at / WIDTH) - middle, (at % WIDTH) - middle];
    const [v, u] = [cos * y - sin * x + middle, sin * y + cos * x + middle];
    const [row, column] = [Math.floor(v), Math.floor(u)];
    const [below, right] = [v - row, u - column];
    const upper = (1 - right) * pixel(row, column) + right * pixel(row, column + 1);
    const lower = (1 - right) * pixel(row + 1, column) + right * pixel(row + 1, column + 1);
    return (1 - below) * upper + below * lower;
  });
}

/** The mean of each two by two pixels, about 0 and of spread 1 over all digits. */
function halved(image: Float32Array, into: Float32Array): void {
  for (let at = 0; at < SIDE * SIDE; at++) {
    const corner = 2 * Math.floor(at / SIDE) * WIDTH + 2 * (at % SIDE);
    const sum =
      image[corner]! + image[corner + 1]! + image[corner + WIDTH]! + image[corner + WIDTH + 1]!;
    into[at] = (sum / 4 - 0.13) / 0.25;
  }
}
