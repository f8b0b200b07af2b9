/** A run of float32 elements in the memory of the kernels. */
export interface Block {
  /** Number of float32 elements. */
  readonly length: number;
  /** The elements. Take it anew after every `allocate`: memory that grows moves its views. */
  readonly values: Float32Array;
  /** The same memory as bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Hyperparameters of one update, with the schedule and the step count already applied. The formula
 * of each rule, with its source, stands in assembly/ under its name. Slots in order: momentum,
 * nesterov [v]; adagrad [sum of squares]; rmsprop [mean square, v], centered [mean square, v,
 * mean]; adam [m, v]; adadelta [mean square, mean square of updates]; adamax [m, u]. A mean of gradients is
 * kept as 0 below 2^-100, and a square is taken for at least that: smaller ones change no weight, and are slow.
 */
export type UpdateRule =
  | { readonly kind: 'sgd'; readonly learningRate: number }
  | {
      readonly kind: 'momentum';
      readonly learningRate: number;
      readonly momentum: number;
      readonly nesterov: boolean;
    }
  | { readonly kind: 'adagrad'; readonly learningRate: number; readonly epsilon: number }
  | {
      readonly kind: 'rmsprop';
      readonly learningRate: number;
      readonly decay: number;
      readonly momentum: number;
      readonly epsilon: number;
      readonly centered: boolean;
    }
  | {
      /** `correction1 = 1 - beta1^t`, `correction2 = 1 - beta2^t`; decoupled decay (adamw) if not 0. */
      readonly kind: 'adam';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly correction1: number;
      readonly correction2: number;
      readonly decoupledDecay: number;
    }
  | {
      readonly kind: 'adadelta';
      readonly learningRate: number;
      readonly rho: number;
      readonly epsilon: number;
    }
  | {
      readonly kind: 'adamax';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly correction1: number;
    };

/** How the summed gradient becomes the gradient that the rule sees; applied in this order. */
export interface Conditioning {
  /** The sum is divided by this: the number of examples. */
  readonly divisor: number;
  /** Then `g` is multiplied by this (clipping by global norm). 1 for none. */
  readonly scale: number;
  /** Then `g` is limited to [-clipValue, clipValue]. Infinity for none. */
  readonly clipValue: number;
  /**
   * Last, L2 regularisation: `g += weightDecay * w`. 0 for none. After clipping, so that what is
   * clipped is the gradient of the data alone (as in PyTorch). A product below 2^-100 is left out, that of
   * decoupled decay too: a weight that only decays stays where processors are quick.
   */
  readonly weightDecay: number;
}

/** What the elements of a gradient are rounded to before the first addition. */
export type Rounding =
  /** The upper half of a float32, ties to even. */
  | { readonly to: 'bf16' }
  /** IEEE binary16, ties to even; what is too large becomes 65,504. */
  | { readonly to: 'fp16' }
  /**
   * A whole number from -127 to 127 times a power of two, the same for each group of `GROUP` elements;
   * up or down by chance, so that the expectation is the value.
   * @param key of the chances, 32 bits
   */
  | { readonly to: 'int8'; readonly key: number };

/** Elements that are rounded and packed together, counted from the beginning of a block. */
export const GROUP = 256;

export interface Kernels {
  /** 16-byte aligned; holds whatever was there before. INTERNAL if the memory cannot grow. */
  allocate(length: number): Block;
  /** Gives the memory back; the block must not be used any more. */
  free(block: Block): void;
  /** The block whose `bytes` these are: this very view. Undefined for all others, and once it was freed. */
  blockOf(bytes: Uint8Array): Block | undefined;
  /**
   * target[i] = left[i] + right[i] in float32. Target may be left or right.
   * @returns the largest magnitude of the sums, as `maxAbs` has it
   */
  add(target: Block, left: Block, right: Block): number;
  /**
   * The largest |x| over `length` elements from `start`; NaN if any element is NaN, Infinity if any
   * is infinite and none is NaN.
   */
  maxAbs(block: Block, start?: number, length?: number): number;
  /**
   * The sum of squares in float64, always added in the same order: element i of the range goes to
   * accumulator i mod 4, and the result is (a0 + a1) + (a2 + a3).
   */
  sumOfSquares(block: Block, start?: number, length?: number): number;
  /**
   * Rounds in place. `start` is a multiple of `GROUP`.
   * @param position that of the first element among all that have the same key
   */
  round(rounding: Rounding, block: Block, position: number, start?: number, length?: number): void;
  /**
   * The elements in as few bytes as hold every bit of them: 1 an element after rounding to int8, 2
   * after rounding to bf16 or fp16, and for most sums of what was rounded to int8; else 4.
   * @returns bytes that are valid until the next call, a multiple of four
   */
  pack(block: Block): Uint8Array;
  /** Fills the block with what was packed. @throws RangeError if the bytes are none of such a block */
  unpack(packed: Uint8Array, block: Block): void;
  /**
   * One optimizer update of `length` elements from `start`: the new weights go to `target` (to
   * `weights` itself, if it is not given), the slots are changed in place, `sum` is only read. All
   * blocks have the same length. What becomes of an element does not depend on where in the range it
   * stands: splitting the range changes no bit.
   * @returns the largest magnitude of the new weights, as `maxAbs` has it; not finite also if the sum
   * is not
   */
  update(
    rule: UpdateRule,
    conditioning: Conditioning,
    weights: Block,
    sum: Block,
    slots: readonly Block[],
    start: number,
    length: number,
    target?: Block,
  ): number;
}
