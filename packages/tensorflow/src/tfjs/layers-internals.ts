import type { tf } from '../tf.js';

/**
 * The parts of tfjs' layers that this package relies on and whose types tfjs does not export.
 * They have been stable since tfjs 1.0; layers-model.test.ts fails if one goes away.
 */
export interface LayerVariable {
  readonly originalName: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly constraint: unknown;
  read(): tf.Tensor;
  write(value: tf.Tensor): LayerVariable;
  /** Holds its value. */
  readonly val: tf.Variable;
}

export interface LayerLike {
  name: string;
  readonly weights: readonly LayerVariable[];
  readonly trainableWeights: readonly LayerVariable[];
  /** Its own, whether or not it is to be trained. */
  readonly _trainableWeights?: readonly LayerVariable[];
  /** Its own that no gradient moves: moving moments. */
  readonly _nonTrainableWeights?: readonly LayerVariable[];
  /** A model has them. */
  readonly layers?: readonly LayerLike[];
  readonly inputs?: readonly { readonly sourceLayer: LayerLike }[];
  readonly stateful: boolean;
  /** Dense, Activation and others have one. */
  activation?: Activation | null;
  readonly inboundNodes: readonly unknown[];
  readonly outboundNodes: readonly unknown[];
  /** What its regularizers add to the loss. */
  calculateLosses(): tf.Tensor[];
  apply(inputs: tf.Tensor | tf.Tensor[], kwargs?: CallOptions): tf.Tensor | tf.Tensor[];
  /** What counts of its output, from what counts of its inputs. */
  computeMask(inputs: unknown, mask?: unknown): tf.Tensor | tf.Tensor[] | null;
  /** TimeDistributed and other wrappers have one. */
  readonly layer?: LayerLike;
  /** Bidirectional has it, and one for backward. */
  readonly forwardLayer?: LayerLike;
  readonly backwardLayer?: LayerLike;
  /** An RNN has one; StackedRNNCells has several. */
  readonly cell?: LayerLike & { readonly cells?: readonly LayerLike[] };
  getClassName(): string;
}

/** tfjs has one object of them for all layers of a call. */
export interface CallOptions {
  readonly training?: boolean;
  readonly mask?: tf.Tensor | null;
  initialState?: unknown;
}

export interface Activation {
  apply(tensor: tf.Tensor, axis?: number): tf.Tensor;
  getClassName(): string;
}

export interface ModelLike extends LayerLike {
  readonly layers: readonly LayerLike[];
  readonly inputs: readonly {
    readonly sourceLayer: LayerLike;
    readonly shape: readonly (number | null)[];
    readonly dtype: tf.Tensor['dtype'];
  }[];
  readonly outputs: readonly { readonly sourceLayer: LayerLike }[];
  /** The calls of layers that belong to it: `dense_Dense1_ib-0`. */
  readonly containerNodes: ReadonlySet<string>;
  dispose(): unknown;
}
