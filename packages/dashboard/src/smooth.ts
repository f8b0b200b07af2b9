/** Fewer points than these are a line that the eye follows by itself. */
const FEW = 60;

/**
 * What the eye would draw: the mean over a few neighbours. As many before a point as after it, so that it
 * does not lag where the curve is steep, at its beginning; at its end those before it.
 */
export function smoothed(values: readonly (number | null)[]): (number | null)[] {
  if (values.length < FEW) return [];
  const radius = Math.ceil(values.length / 60);
  const sums = [0];
  const counts = [0];
  for (const value of values) {
    sums.push(sums.at(-1)! + (value ?? 0));
    counts.push(counts.at(-1)! + (value === null ? 0 : 1));
  }
  return values.map((value, at) => {
    const around = Math.min(radius, at);
    const [from, to] = [at - around, Math.min(values.length, at + around + 1)];
    return value === null ? null : (sums[to]! - sums[from]!) / (counts[to]! - counts[from]!);
  });
}
