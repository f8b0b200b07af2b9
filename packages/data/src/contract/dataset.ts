/** The values of one field of several examples: `shape[0]` is the number of examples. */
export interface Field {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Several examples, field by field (`x`, `y`, ...). */
export type Batch = Readonly<Record<string, Field>>;

/** A field as a program may give it: `toField` says what becomes of which numbers. */
export interface GivenField {
  readonly data:
    | Float32Array
    | Float64Array
    | Int8Array
    | Int16Array
    | Int32Array
    | Uint8Array
    | Uint8ClampedArray
    | Uint16Array
    | Uint32Array
    | BigInt64Array
    | BigUint64Array
    | readonly (number | boolean)[];
  readonly shape: readonly number[];
}

export type GivenBatch = Readonly<Record<string, GivenField>>;

/** What whoever reads data should hear, though it can be used. */
export interface Notice {
  readonly message: string;
  readonly remedy: string;
}

/** Examples that can be had by their index, from 0 to `size - 1`. */
export interface Dataset {
  readonly size: number;
  /**
   * Reads examples in the order of `indices`, which may be empty and may repeat. Every call returns
   * memory of its own.
   * @param only the fields that are wanted: others may be left out, where that saves work
   * @throws TuttiError BAD_DATA naming the file and the offset
   */
  read(indices: ArrayLike<number>, only?: readonly string[]): Promise<Batch>;
  close?(): Promise<void>;
  /** Where an example lies, in words: its file and place in it. */
  origin?(index: number): string;
  /** What was passed over, or is likely not meant: a run says it once. */
  readonly notices?: readonly Notice[];
}
