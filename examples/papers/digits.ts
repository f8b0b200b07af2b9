import { type Dataset, slice } from '@tutti/data';
import { mnist } from '../src/datasets/mnist.js';
import { setting } from './settings.js';

/** Examples of MNIST's training set that hyperparameters are chosen on. */
const VALIDATION = 10_000;

/**
 * All of MNIST: 60,000 digits to train, 10,000 to test. With `VALIDATION=1` the last 10,000 of the training set
 * take the place of the test set, which is then not read: hyperparameters are chosen on these.
 */
export async function digits(): Promise<{ training: Dataset; evaluation: Dataset }> {
  const { training, evaluation } = await mnist();
  if (setting('VALIDATION', 0) === 0) return { training, evaluation };
  const size = training.size - VALIDATION;
  return { training: slice(training, 0, size), evaluation: slice(training, size) };
}

/** Steps of so many epochs, in batches of so many examples. */
export function stepsOf(epochs: number, batchSize: number): number {
  const examples = setting('VALIDATION', 0) === 0 ? 60_000 : 60_000 - VALIDATION;
  return Math.ceil(examples / batchSize) * epochs;
}
