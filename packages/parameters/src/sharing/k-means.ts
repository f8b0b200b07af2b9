/**
 * Lloyd's algorithm (1982) over points of `dimension` values, from centroids spread evenly over the
 * sorted points (by their first value): linear initialisation, which Deep Compression (Han et al.
 * 2016) found best for weights, since it keeps a centroid for the few large ones. Nothing is drawn.
 */
export function kMeans(
  values: ArrayLike<number>,
  clusters: number,
  dimension = 1,
): { readonly centroids: Float64Array; readonly nearest: Int32Array } {
  const points = values.length / dimension;
  const centroids = new Float64Array(clusters * dimension);
  if (dimension === 1) {
    const [least, most] = extremes(values);
    for (let k = 0; k < clusters; k++)
      centroids[k] = least + ((most - least) * (k + 0.5)) / clusters;
  } else {
    const sorted = Array.from({ length: points }, (_, i) => i).sort(
      (a, b) => values[a * dimension]! - values[b * dimension]! || a - b,
    );
    for (let k = 0; k < clusters; k++) {
      const point = sorted[Math.floor(((k + 0.5) * points) / clusters)]!;
      for (let d = 0; d < dimension; d++)
        centroids[k * dimension + d] = values[point * dimension + d]!;
    }
  }
  const nearest = new Int32Array(points).fill(-1);
  for (let round = 0; round < 100; round++) {
    let moved = false;
    const nearestOf =
      dimension === 1 ? onLine(centroids, values) : inSpace(centroids, values, dimension);
    for (let i = 0; i < points; i++) {
      const best = nearestOf(i);
      if (nearest[i] !== best) moved = true;
      nearest[i] = best;
    }
    if (!moved) break;
    const sums = new Float64Array(clusters * dimension);
    const counts = new Float64Array(clusters);
    for (let i = 0; i < points; i++) {
      counts[nearest[i]!]! += 1;
      for (let d = 0; d < dimension; d++)
        sums[nearest[i]! * dimension + d]! += values[i * dimension + d]!;
    }
    for (let k = 0; k < clusters * dimension; k++) {
      const count = counts[Math.floor(k / dimension)]!;
      if (count > 0) centroids[k] = sums[k]! / count;
    }
  }
  return { centroids, nearest };
}

/** The nearest of centroids in rising order, as means of neighbours are; of two, the first. */
function onLine(centroids: Float64Array, values: ArrayLike<number>): (point: number) => number {
  const borders = centroids.subarray(1).map((centroid, k) => (centroids[k]! + centroid) / 2);
  return (point) => {
    let [low, high] = [0, borders.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[point]! > borders[middle]!) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function inSpace(
  centroids: Float64Array,
  values: ArrayLike<number>,
  dimension: number,
): (point: number) => number {
  return (point) => {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < centroids.length / dimension; k++) {
      let distance = 0;
      for (let d = 0; d < dimension; d++)
        distance += (values[point * dimension + d]! - centroids[k * dimension + d]!) ** 2;
      if (distance < least) {
        best = k;
        least = distance;
      }
    }
    return best;
  };
}

function extremes(values: ArrayLike<number>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return [least, most];
}
