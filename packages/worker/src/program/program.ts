import type { Batch, Dataset } from '@tutti/data';
import type { FrozenValues, SharingReport } from '@tutti/parameters';
import type {
  MetricDirections,
  MetricForms,
  ProgramDefaults,
  StoredParameter,
} from '@tutti/protocol';
import { checkKeys, type Random, TuttiError } from '@tutti/runtime';

/**
 * A training program, as the worker knows it. `@tutti/tensorflow` makes one from a tf model;
 * `defineProgram` makes one from four plain functions.
 */
export interface Program extends ProgramDefaults {
  /** Shown in logs and used for folder names; the file's name if not given. */
  readonly name?: string;
  /** Opens the data. Called once per process, before `open`. */
  readonly data: () => ProgramData | Promise<ProgramData>;
  /** Loads what computing needs (a native library, a model). Called once per worker process. */
  open(): Computation | Promise<Computation>;
}

export interface ProgramData {
  readonly training: Dataset;
  /** What epochs and the end are evaluated on. */
  readonly evaluation?: Dataset;
}

/** The maths of a program. Nothing in it may depend on anything but its arguments. */
export interface Computation {
  /** The stored parameters, in the order in which they lie on the wire and in the digest. */
  readonly parameters: readonly StoredParameter[];
  /** The first values: a function of the seed alone. */
  initialize(seed: number): ParameterValues | Promise<ParameterValues>;
  /**
   * The gradient of the *sum* of the loss over one micro-batch, with respect to every stored
   * parameter. The weights must not be written to, nor kept beyond the call.
   * @param known may be called, during the call, with the gradient of a parameter that is known
   * before the others: it travels while they are computed. The values are copied, and `gradient` in
   * the result need not repeat them.
   */
  gradient(
    weights: ParameterValues,
    microBatch: MicroBatch,
    known?: TakeKnown,
  ): GradientResult | Promise<GradientResult>;
  /** The same sums without a gradient, on examples that were not trained on. */
  evaluate(weights: ParameterValues, batch: Batch): EvaluationResult | Promise<EvaluationResult>;
  /** Versions, thread counts and whatever else decides the bits of a gradient. */
  readonly arithmetic?: Readonly<Record<string, string>>;
  /** How metrics follow from their sums, where they are no means over examples. */
  readonly metricForms?: MetricForms;
  /** Whether less or more of a metric is better, where its name does not tell. */
  readonly metricDirections?: MetricDirections;
  /** How weights follow from the stored parameters. */
  readonly sharing?: SharingFacts;
  close?(): void | Promise<void>;
}

export interface SharingFacts {
  /** What weights read of their first values and nobody stores: an export is complete with it. */
  frozen(): readonly FrozenValues[];
  /** Digest of all maps and constants, part of the plan; absent where every weight is stored as it is. */
  readonly digest?: string;
  /** @param slots values that the optimizer keeps for each trained one */
  inspect(slots: number): SharingReport;
  /** The sharing pattern of every weight, as SVG. */
  picture(report: SharingReport, title: string): string;
}

/**
 * Copies the gradient of a parameter.
 * @param last whether no gradient is still computed: it travels with the others then
 */
export type TakeKnown = (
  parameter: string,
  values: Float32Array | FloatSource,
  last?: boolean,
) => void;

/** Floats that lie elsewhere, in the memory of a native library, say. */
export interface FloatSource {
  readonly length: number;
  /** Copies as many as `target` holds, beginning with the one at `from`. */
  copyTo(target: Float32Array, from: number): void;
}

/** One flat float32 array for every stored parameter, by its name. */
export type ParameterValues = Readonly<Record<string, Float32Array>>;

export interface MicroBatch {
  readonly batch: Batch;
  readonly epoch: number;
  readonly step: number;
  readonly shard: number;
  /** Everything random in a program (dropout, augmentation) comes from here: it follows from
   * (seed, epoch, step, shard), so that any worker draws the same. */
  readonly random: Random;
}

export interface EvaluationResult {
  /** The sum of the loss over the examples. */
  readonly lossSum: number;
  /** Number of examples. */
  readonly count: number;
  /** Sums over the examples (of correct answers, say); reported divided by `count`, or as `metricForms` says. */
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface GradientResult extends EvaluationResult {
  /** For every stored parameter that was not given to `known`. */
  readonly gradient: ParameterValues;
}

const KNOWN: Readonly<Record<Exclude<keyof Program, 'open'> | keyof Computation, true>> = {
  name: true,
  data: true,
  parameters: true,
  initialize: true,
  gradient: true,
  evaluate: true,
  arithmetic: true,
  metricForms: true,
  metricDirections: true,
  sharing: true,
  close: true,
  optimizer: true,
  batchSize: true,
  epochs: true,
  seed: true,
  shards: true,
  evaluationBatchSize: true,
  gradientCompression: true,
  earlyStopping: true,
  reduceOnPlateau: true,
};

/**
 * A program without any framework: the four functions and its settings in one object.
 * @throws TuttiError BAD_PROGRAM for a function that is missing, or a key that nobody reads
 */
export function defineProgram(program: Omit<Program, 'open'> & Computation): Program {
  checkKeys('defineProgram', program, KNOWN);
  for (const name of ['data', 'initialize', 'gradient', 'evaluate'] as const)
    if (typeof program[name] !== 'function')
      throw new TuttiError('BAD_PROGRAM', `defineProgram was given no function ${name}()`, {
        remedy: `Give it one: the program needs data, initialize, gradient and evaluate.`,
      });
  const { parameters, arithmetic, metricForms, metricDirections, sharing } = program;
  return {
    ...program,
    open: () => ({
      parameters,
      initialize: (seed) => program.initialize(seed),
      gradient: (weights, microBatch, known) => program.gradient(weights, microBatch, known),
      evaluate: (weights, batch) => program.evaluate(weights, batch),
      ...(arithmetic === undefined ? {} : { arithmetic }),
      ...(metricForms === undefined ? {} : { metricForms }),
      ...(metricDirections === undefined ? {} : { metricDirections }),
      ...(sharing === undefined ? {} : { sharing }),
      close: () => program.close?.(),
    }),
  };
}
