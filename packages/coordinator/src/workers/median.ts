/** The value in the middle; of an even number the lower of the two. 0 of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/**
 * The same of speeds: of an even number the upper of the two, which is that of the lower time.
 * Undefined of none.
 */
export function medianSpeed(speeds: readonly number[]): number | undefined {
  return [...speeds].sort((a, b) => a - b)[Math.floor(speeds.length / 2)];
}
