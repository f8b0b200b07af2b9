/** The values of one field of several examples: `shape[0]` is the number of examples. */
export interface Field {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Several examples, field by field (`x`, `y`, ...). */
export type Batch = Readonly<Record<string, Field>>;

/** Examples that can be had by their index, from 0 to `size - 1`. */
export interface Dataset {
  readonly size: number;
  /**
   * Reads examples in the order of `indices`, which may be empty and may repeat. Every call returns
   * memory of its own.
   * @throws TuttiError BAD_DATA naming the file and the offset
   */
  read(indices: ArrayLike<number>): Promise<Batch>;
  close?(): Promise<void>;
}
