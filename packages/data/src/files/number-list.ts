/** A list of numbers that grows; float64 holds file offsets up to 2^53 exactly. */
export interface NumberList<Values extends Float32Array | Float64Array> {
  readonly length: number;
  at(index: number): number;
  push(value: number): void;
  /** What is in the list, without a copy. */
  values(): Values;
}

export function createNumberList<Values extends Float32Array | Float64Array>(
  kind: new (length: number) => Values,
): NumberList<Values> {
  let values = new kind(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    at: (index) => values[index]!,
    push(value) {
      if (length === values.length) {
        const larger = new kind(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    values: () => values.subarray(0, length) as Values,
  };
}
