import { spreadOf } from './values.js';

/** A sharing matrix with `width` entries a row: index as in `gather`, factor 1 if absent. */
export interface SparseMatrix {
  readonly index: Int32Array;
  readonly factor: Float32Array | undefined;
  readonly width: number;
  readonly stored: number;
}

/**
 * Stored values for W = S theta. Pretrained: those that come closest to W. Fresh: each from the first
 * element that reads it, scaled so that S theta has the spread of W.
 */
export function leastSquares(s: SparseMatrix, w: Float32Array, pretrained: boolean): Float32Array {
  return pretrained ? closest(s, w) : fresh(s, w);
}

function fresh({ index, factor, width, stored }: SparseMatrix, w: Float32Array): Float32Array {
  const theta = new Float32Array(stored);
  for (let i = index.length - 1; i >= 0; i--)
    if (index[i] !== 0)
      theta[index[i]! - 1] = Math.sign(factor?.[i] ?? 1) * w[Math.floor(i / width)]!;
  if (factor === undefined) return theta;
  // The variance of a row is the sum of the squares of its factors times that of theta.
  const used = factor.filter((_, i) => index[i] !== 0);
  const gain = spreadOf(used) * Math.sqrt(used.length / w.length);
  return gain > 0 ? theta.map((value) => value / gain) : theta;
}

/** The least-squares solution by conjugate gradients on S (CGLS: Hestenes and Stiefel 1952). */
function closest(s: SparseMatrix, w: Float32Array): Float32Array {
  const theta = new Float64Array(s.stored);
  const residual = Float64Array.from(w);
  let gradient = timesTransposed(s, residual);
  let direction = gradient.slice();
  let gamma = dot(gradient, gradient);
  const enough = 1e-24 * gamma;
  for (let round = 0; round < 4 * s.stored && gamma > enough; round++) {
    const along = times(s, direction);
    const step = gamma / dot(along, along);
    for (let j = 0; j < theta.length; j++) theta[j]! += step * direction[j]!;
    for (let i = 0; i < residual.length; i++) residual[i]! -= step * along[i]!;
    gradient = timesTransposed(s, residual);
    const next = dot(gradient, gradient);
    direction = direction.map((value, j) => gradient[j]! + (next / gamma) * value);
    gamma = next;
  }
  return Float32Array.from(theta);
}

function times({ index, factor, width }: SparseMatrix, theta: Float64Array): Float64Array {
  const out = new Float64Array(index.length / width);
  for (let i = 0; i < index.length; i++)
    if (index[i] !== 0) out[Math.floor(i / width)]! += (factor?.[i] ?? 1) * theta[index[i]! - 1]!;
  return out;
}

function timesTransposed({ index, factor, width, stored }: SparseMatrix, w: Float64Array) {
  const out = new Float64Array(stored);
  for (let i = 0; i < index.length; i++)
    if (index[i] !== 0) out[index[i]! - 1]! += (factor?.[i] ?? 1) * w[Math.floor(i / width)]!;
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((total, value, i) => total + value * b[i]!, 0);
}
