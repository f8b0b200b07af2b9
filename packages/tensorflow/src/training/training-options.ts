import type { SharingRule } from '@tutti/parameters';
import type { Random } from '@tutti/runtime';
import type { Program, ProgramData } from '@tutti/worker';
import type { LayersModelFactory } from '../model/build-model.js';
import type { FunctionModel } from '../model/function-model.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import type { HeadOptions } from './heads.js';

// biome-ignore lint/suspicious/noExplicitAny: a function over any names fits here.
export type TrainingModel = LayersModelFactory | FunctionModel<any>;

export interface TrainingOptions extends HeadOptions {
  /** Shown in logs and used for folder names; the file's name if not given. */
  readonly name?: string | undefined;
  /** A function that builds a `tf.LayersModel`, or a function over named parameters. */
  readonly model: TrainingModel;
  /**
   * Changes the examples of a micro-batch before the model trains on them (shifts, flips, noise).
   * Synchronous; draws from `random`, or from unseeded functions of tfjs, which follow it too.
   */
  readonly augment?: ((batch: BatchTensors, random: Random) => BatchTensors) | undefined;
  /** Opens the data: fields `x` and `y` for most models. */
  readonly data: () => ProgramData | Promise<ProgramData>;
  /** What the servers do with the mean gradient. */
  readonly optimizer: Program['optimizer'];
  /** Examples in one step, over all workers. */
  readonly batchSize: number;
  readonly epochs: number;
  /** Decides the first weights, the order of the examples, and everything random in the model. */
  readonly seed: number;
  /** Data shards: part of the experiment, unlike the number of workers. */
  readonly shards?: number | undefined;
  /** Weights that read fewer stored parameters: `tie(...)`, `hashed(...)`. */
  readonly sharing?: readonly SharingRule[] | undefined;
  /** Examples in one call of the model while it is evaluated. */
  readonly evaluationBatchSize?: number | undefined;
  /** What each shard's gradient is rounded to, so that less travels; part of the experiment. */
  readonly gradientCompression?: Program['gradientCompression'] | undefined;
  /** Ends the run when its evaluation becomes no better, with the best weights. */
  readonly earlyStopping?: Program['earlyStopping'] | undefined;
  /** Reduces the learning rate when the evaluation becomes no better. */
  readonly reduceOnPlateau?: Program['reduceOnPlateau'] | undefined;
  /** Which weights feel the optimizer's weight decay; all if not given. */
  readonly decay?: ((weight: string) => boolean) | undefined;
  /** False computes the gradients as tfjs defines them, without the faster native operations. */
  readonly accelerate?: boolean | undefined;
  /**
   * Whether a micro-batch's gradient, or a batch's evaluation, is computed as one TensorFlow graph,
   * several times as fast where operations are small. Without this option: if the layers and the loss
   * are tfjs' own and nothing in them is random but dropout.
   *
   * `true` says of functions of yours (model, layer, loss) that which operations they do, and with
   * which constants, follows from the shapes of their arguments alone: they are called at the
   * beginning, and what they did is done again at every step. A loss that grows with the steps would
   * stay as it was. What is seen to read values, to draw random numbers or to do something else the
   * second time is an error. What TensorFlow has no graph of is computed as single operations;
   * NODE_DEBUG=tutti-graph tells why.
   */
  readonly graph?: boolean | undefined;
}
