import type { MetricForm } from '@tutti/worker';
import type { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';

/** One value per example: from labels and predictions [n, ...] to [n]. Its name is reported. */
export type MetricFunction = (yTrue: tf.Tensor, yPred: tf.Tensor, batch: BatchTensors) => tf.Tensor;

/**
 * Two values per example, both [n]. What is reported is the sum of the first over all examples divided
 * by the sum of the second.
 */
export type RatioFunction = (
  yTrue: tf.Tensor,
  yPred: tf.Tensor,
  batch: BatchTensors,
) => readonly [over: tf.Tensor, under: tf.Tensor];

export type MetricName =
  | 'accuracy'
  | 'binaryAccuracy'
  | 'exactMatch'
  | 'topKAccuracy'
  | 'precision'
  | 'recall'
  | 'f1'
  | 'auc'
  | 'meanAbsoluteError'
  | 'meanSquaredError'
  | 'rootMeanSquaredError'
  | 'r2'
  | 'perplexity';

/** What a metric that has a name may be told besides. */
export interface MetricOptions {
  /** What it is reported as; its name, if not given. */
  readonly as?: string | undefined;
  /** A prediction above it says yes. Default 0.5. Of binaryAccuracy, exactMatch, precision, recall, f1. */
  readonly threshold?: number | undefined;
  /** The only class that counts, of precision, recall, f1 and auc. */
  readonly class?: number | undefined;
  /** How many classes may be named, of topKAccuracy. Default 5. */
  readonly k?: number | undefined;
  /** How many thresholds auc is taken at. Default 200. */
  readonly thresholds?: number | undefined;
}

export type Metric =
  | MetricName
  | ({ readonly name: MetricName } & MetricOptions)
  | { readonly name: string; readonly ratio: RatioFunction }
  | MetricFunction;

/** What a metric of ours is computed from. */
export interface MetricInput {
  readonly yTrue: tf.Tensor;
  /** What the model gives, or its logits where a softmax is left out. */
  readonly outputs: tf.Tensor;
  /** Whether those are logits. */
  readonly logits: boolean;
  /** What the model gives. */
  predictions(): tf.Tensor;
  /** Probabilities, also where the model gives logits and the loss knows. */
  probabilities(): tf.Tensor;
  /** Each number is a yes or no by itself, rather than one of several classes. */
  readonly separate: boolean;
  readonly mask: tf.Tensor | undefined;
}

/** A metric as sums over examples. */
export interface SummedMetric {
  /** Absent where what is reported is the mean over the examples. */
  readonly form?: MetricForm;
  /** Tensors that the sums are made of, [n, ...], by name. Operations of TensorFlow alone. */
  tensors(input: MetricInput): Readonly<Record<string, tf.Tensor>>;
  /** The sums by their part, from the values of the tensors; absent where those are summed as they are. */
  sums?(values: Readonly<Record<string, ArrayLike<number>>>): Readonly<Record<string, number>>;
}

/** The one part of a metric that is a mean over examples. */
export const MEAN = '';

/** In float64 and in order, so that it does not depend on how TensorFlow adds. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
