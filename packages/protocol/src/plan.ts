import type { DataIdentity } from './data-identity.js';
import type { MetricDirection, MetricDirections } from './metric-direction.js';
import type { MetricForms } from './metric-form.js';

/** A learning rate as a function of the step. All rates are positive, all step counts whole. */
export type Schedule =
  | { readonly kind: 'constant' }
  /** Multiplied by `factor` every `every` steps. */
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }
  /** `factor ^ (step / every)`. */
  | { readonly kind: 'exponential'; readonly every: number; readonly factor: number }
  /** Half a cosine from 1 down to `floor` over `steps`, then `floor` (Loshchilov & Hutter 2017). */
  | { readonly kind: 'cosine'; readonly steps: number; readonly floor?: number }
  /** The same again and again, each time `stretch` times as long and `factor` times as high. */
  | {
      readonly kind: 'cosineRestarts';
      readonly steps: number;
      readonly stretch?: number;
      readonly factor?: number;
      readonly floor?: number;
    }
  /** From 1 to `floor` over `steps`, by `power` (1: along a line), then `floor`. */
  | {
      readonly kind: 'polynomial';
      readonly steps: number;
      readonly power?: number;
      readonly floor?: number;
    }
  /** `factors[i]` from step `from[i]` on, 1 before the first. */
  | {
      readonly kind: 'piecewise';
      readonly from: readonly number[];
      readonly factors: readonly number[];
    };

/** A number of the evaluation at the end of each epoch (of its training, where nothing is evaluated). */
export interface Watched {
  /** `loss`, or the name of a metric. Default `loss`. */
  readonly monitor?: string;
  /** Default: of a loss, an error or a perplexity less is better, of other metrics more. */
  readonly better?: MetricDirection;
  /** How much better it must be to count. Default 0 for early stopping, 0.0001 for plateaus. */
  readonly minChange?: number;
}

/** Ends a run that becomes no better. */
export interface EarlyStopping extends Watched {
  /** The run ends when so many epochs in a row were none better. Default 0: with the first. */
  readonly patience?: number;
  /** The run ends with the weights of its best epoch, also where it is not stopped. Default true. */
  readonly keepBest?: boolean;
}

/** Multiplies the learning rate, whatever its schedule, when a run becomes no better. */
export interface ReduceOnPlateau extends Watched {
  /** After so many epochs in a row that were none better. Default 10. */
  readonly patience?: number;
  /** Default 0.1. */
  readonly factor?: number;
  /** The share of the learning rate that is left at least. Default 0. */
  readonly floor?: number;
  /** Epochs after it that do not count. Default 0. */
  readonly cooldown?: number;
}

/** What the servers do with the mean gradient. */
export interface OptimizerSpec {
  readonly name:
    | 'sgd'
    | 'momentum'
    | 'nesterov'
    | 'adagrad'
    | 'rmsprop'
    | 'adam'
    | 'adamw'
    | 'adadelta'
    | 'adamax';
  readonly learningRate: number;
  readonly schedule?: Schedule;
  /** Steps over which the rate rises linearly from 0; the schedule starts after them. */
  readonly warmupSteps?: number;
  /** L2 regularisation; for adamw, decoupled decay. */
  readonly weightDecay?: number;
  /** Limit of each element of the mean gradient. */
  readonly clipValue?: number;
  /** Limit of the L2 norm of the whole mean gradient. */
  readonly clipNorm?: number;
  readonly momentum?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly rho?: number;
  readonly decay?: number;
  readonly centered?: boolean;
  /** adagrad: the first value of its accumulator. */
  readonly initialAccumulator?: number;
}

/**
 * One stored parameter: the servers hold it once, only it travels.
 *
 * `gradient` parameters are moved by the optimizer. `average` ones (moving moments of batch
 * normalisation) are moved by the mean over the examples of what the program returns for them:
 * `w += sum / count`, untouched by learning rate, decay and clipping.
 */
export interface StoredParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly update?: 'gradient' | 'average';
  /** False exempts it from weight decay. */
  readonly decay?: boolean;
}

/** What a worker knows of its program: the same on all workers, or they are refused. */
export interface ProgramDescription {
  readonly name: string;
  /** SHA-256 over the program's sources. */
  readonly hash: string;
  /**
   * SHA-256 over how the weights follow from the parameters: maps, and constants that came from
   * files. Absent where every weight is stored as it is.
   */
  readonly sharing?: string;
  readonly parameters: readonly StoredParameter[];
  readonly trainingExamples: number;
  /** 0 if the program has none. */
  readonly evaluationExamples: number;
  /** What its data are known by. */
  readonly data?: DataIdentity;
  /** Absent where all metrics are means over examples. */
  readonly metricForms?: MetricForms;
  /** Of the metrics whose names tell another direction. */
  readonly metricDirections?: MetricDirections;
  readonly defaults: ProgramDefaults;
}

/** The settings that a program may give; flags, environment and file go before them. */
export interface ProgramDefaults {
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  readonly shards?: number;
  readonly optimizer: OptimizerSpec;
  /** Examples in one call of `evaluate`. */
  readonly evaluationBatchSize?: number;
  readonly gradientCompression?: GradientCompression;
  readonly earlyStopping?: EarlyStopping;
  readonly reduceOnPlateau?: ReduceOnPlateau;
}

/** What each shard's gradient is rounded to before the first addition, so that less travels. */
export const GRADIENT_COMPRESSIONS = ['bf16', 'fp16', 'int8'] as const;
export type GradientCompression = (typeof GRADIENT_COMPRESSIONS)[number];

/** What a run begins with in place of the initial values of its program. */
export interface FirstWeights {
  /** SHA-256 over the float32 bytes of the stored parameters, in declared order. */
  readonly digest: string;
  /**
   * The checkpoint or file that they were read from. It is read again where all that came of them is
   * lost; two runs do not differ by it.
   */
  readonly path: string;
}

/** Everything that decides the bits of the result. Made once, by the coordinator. */
export interface JobPlan {
  readonly programName: string;
  readonly programHash: string;
  /** As in the description of the program. */
  readonly sharing?: string;
  readonly parameters: readonly StoredParameter[];
  readonly trainingExamples: number;
  readonly evaluationExamples: number;
  /** The data that it is trained on; absent in checkpoints from before there was this. */
  readonly data?: DataIdentity;
  readonly evaluationBatchSize: number;
  /** As in the description of the program. */
  readonly metricForms?: MetricForms;
  /** As in the description of the program. */
  readonly metricDirections?: MetricDirections;
  readonly batchSize: number;
  readonly shards: number;
  readonly seed: number;
  /** Absent where it begins with the initial values of the program. */
  readonly firstWeights?: FirstWeights;
  /** Steps in the whole run: version `steps` is the result. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly optimizer: OptimizerSpec;
  readonly earlyStopping?: EarlyStopping;
  readonly reduceOnPlateau?: ReduceOnPlateau;
  /** Floats in a chunk; 262,144 if absent. The result depends on it only if it is no multiple of 65,536. */
  readonly chunkFloats?: number;
  /** Absent where gradients are added as they are. */
  readonly gradientCompression?: GradientCompression;
}

/** Whether a version is evaluated: after every epoch, and at the end. */
export function evaluatesAt(plan: JobPlan, version: number): boolean {
  if (plan.evaluationExamples === 0 || version === 0) return false;
  return version % plan.stepsPerEpoch === 0 || version === plan.steps;
}

/** Examples of a step, over all shards: as many as a batch, but for the last step of an epoch. */
export function examplesOf(plan: JobPlan, step: number): number {
  const { batchSize, trainingExamples, stepsPerEpoch } = plan;
  return Math.min(batchSize, trainingExamples - (step % stepsPerEpoch) * batchSize);
}
