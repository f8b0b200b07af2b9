import type { WeightRole, WeightSpec } from '@tutti/parameters';
import type { Random } from '@tutti/runtime';
import type { FactoredWeight } from '../sharing/factored-weight.js';
import type { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import type { Noise } from '../tfjs/noise.js';

/** What layers models and functions over named parameters have in common. */
export interface DifferentiableModel {
  /** The tensors that the model reads, in a fixed order. */
  readonly weights: readonly WeightSpec[];
  /** What each of them is for, in that order. */
  readonly roles: readonly WeightRole[];
  /** How often each is used for one example. */
  readonly repeats: readonly number[];
  /** The names of its outputs; undefined if it does not tell them. */
  readonly outputs: readonly string[] | undefined;
  /** Whether each output is a softmax that `forward` can leave out. */
  readonly softmax: readonly boolean[];
  /** Why `forward` might do other operations at another call with the same shapes, if it might. */
  readonly unsteady: string | undefined;
  /** Fresh values for every weight, in that order. */
  initialize(random: Random): readonly Float32Array[];
  /**
   * Synchronous, and called inside a tidy with `Math.random` seeded. Reads each weight where it is
   * used first, not before: gradients are known in the reverse order.
   */
  forward(weight: ReadWeight, batch: BatchTensors, context: ForwardContext): Forward;
  dispose(): void;
}

/** The tensor of a weight, by its place in `weights`; the same one at every call. */
export type ReadWeight = (at: number) => tf.Tensor;

export interface ForwardContext {
  readonly training: boolean;
  /** For each output, whether its final softmax is left out: the loss starts from the logits. */
  readonly logits: readonly boolean[];
  /** The names of the outputs that are wanted, where there are several. */
  readonly outputs: readonly string[] | undefined;
  readonly random: Random;
  readonly noise: Noise;
  /** What a layer gets instead of a weight, by its place, that it does not need whole. */
  factored(weight: number): FactoredWeight | undefined;
  /** Takes the new value of a weight that is not moved by gradients. */
  write(weight: number, value: tf.Tensor): void;
}

export interface Forward {
  readonly outputs: readonly tf.Tensor[];
  /** What the layers found to count of each output, where they know. Kept: the caller disposes of them. */
  readonly masks: readonly (tf.Tensor | undefined)[];
  /** Scalars that count for every example: regularizers. */
  readonly penalties: readonly tf.Tensor[];
}
