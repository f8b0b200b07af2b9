import { createRandom } from '@tutti/runtime';
import { normal } from './values.js';

/** A matrix, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export const matrix = (rows: number, columns: number, values: ArrayLike<number>): Matrix => ({
  rows,
  columns,
  values: Float64Array.from(values),
});

export function multiply(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.rows * b.columns);
  for (let r = 0; r < a.rows; r++)
    for (let k = 0; k < a.columns; k++) {
      const factor = a.values[r * a.columns + k]!;
      for (let c = 0; c < b.columns; c++)
        values[r * b.columns + c]! += factor * b.values[k * b.columns + c]!;
    }
  return { rows: a.rows, columns: b.columns, values };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const moved = new Float64Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) moved[c * rows + r] = values[r * columns + c]!;
  return { rows: columns, columns: rows, values: moved };
}

/** Squares of singular values that are less beside the largest are rounding. */
const NEGLIGIBLE = 1e-14;

/** More columns than asked for: the subspace converges with the gap behind them. */
const OVERSAMPLED = 8;
const MOST_ROUNDS = 500;

/**
 * The product of two matrices of rank `rank` that is closest to W in least squares: the truncated
 * singular value decomposition (Eckart and Young 1936), by iterating a subspace until what it misses
 * of W no longer gets less. The singular values are split evenly between the two. A direction that W
 * lacks is drawn on the left and 0 on the right: were it 0 on both, neither would have a gradient.
 */
export function closestProduct(w: Matrix, rank: number): { left: Matrix; right: Matrix } {
  const back = transposed(w);
  const width = Math.min(rank + OVERSAMPLED, w.rows, w.columns);
  const random = createRandom('closest-product', w.rows, w.columns, rank);
  let basis = orthonormal(
    multiply(
      w,
      matrix(
        w.columns,
        width,
        Float64Array.from({ length: w.columns * width }, () => random.next() - 0.5),
      ),
    ),
  );
  let captured = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const projected = multiply(back, basis);
    basis = orthonormal(multiply(w, projected));
    const now = largest(multiply(back, basis), rank);
    if (now - captured <= 1e-14 * now) break;
    captured = now;
  }
  // W is nearly basis (basis^T W); the leading directions of the small factor give the rest.
  const small = multiply(transposed(basis), w);
  const { vectors, values } = symmetricEigen(multiply(small, transposed(small)));
  const chosen = matrix(
    width,
    rank,
    Float64Array.from({ length: width * rank }, (_, i) =>
      i % rank < width ? vectors.values[Math.floor(i / rank) * width + (i % rank)]! : 0,
    ),
  );
  const left = multiply(basis, chosen);
  const right = multiply(transposed(chosen), small);
  for (let k = 0; k < rank; k++) {
    const square = values[k] ?? 0;
    const lacks = !(square > NEGLIGIBLE * values[0]!);
    const root = square ** 0.25;
    const drawn = normal(random, left.rows, 1 / Math.sqrt(left.rows));
    for (let r = 0; r < left.rows; r++)
      left.values[r * rank + k] = lacks ? drawn[r]! : root * left.values[r * rank + k]!;
    for (let c = 0; c < right.columns; c++)
      right.values[k * right.columns + c] = lacks ? 0 : right.values[k * right.columns + c]! / root;
  }
  return { left, right };
}

/** The sum of the `rank` largest squares of singular values of a matrix with few columns. */
function largest(tall: Matrix, rank: number): number {
  const { values } = symmetricEigen(multiply(transposed(tall), tall));
  return values.slice(0, rank).reduce((total, value) => total + value, 0);
}

/** Gram and Schmidt, twice, for the loss of orthogonality in the first pass. */
function orthonormal({ rows, columns, values }: Matrix): Matrix {
  const q = values.slice();
  const dot = (a: number, b: number) => {
    let total = 0;
    for (let r = 0; r < rows; r++) total += q[r * columns + a]! * q[r * columns + b]!;
    return total;
  };
  for (let c = 0; c < columns; c++) {
    const before = Math.sqrt(dot(c, c));
    for (let pass = 0; pass < 2; pass++)
      for (let k = 0; k < c; k++) {
        const along = dot(k, c);
        for (let r = 0; r < rows; r++) q[r * columns + c]! -= along * q[r * columns + k]!;
      }
    const length = Math.sqrt(dot(c, c));
    const kept = length > 1e-12 * before ? 1 / length : 0;
    for (let r = 0; r < rows; r++) q[r * columns + c]! *= kept;
  }
  return { rows, columns, values: q };
}

/** Jacobi's rotations; the largest eigenvalue first, its vector in the first column. */
export function symmetricEigen(a: Matrix): { vectors: Matrix; values: Float64Array } {
  const n = a.rows;
  const m = a.values.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let all = 0;
    for (let i = 0; i < n * n; i++) {
      all += m[i]! ** 2;
      if (Math.floor(i / n) !== i % n) off += m[i]! ** 2;
    }
    if (off <= 1e-30 * all) break;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = m[p * n + q]!;
        if (apq === 0) continue;
        const theta = (m[q * n + q]! - m[p * n + p]!) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [kp, kq] = [m[k * n + p]!, m[k * n + q]!];
          m[k * n + p] = c * kp - s * kq;
          m[k * n + q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const [pk, qk] = [m[p * n + k]!, m[q * n + k]!];
          m[p * n + k] = c * pk - s * qk;
          m[q * n + k] = s * pk + c * qk;
          const [vp, vq] = [v[k * n + p]!, v[k * n + q]!];
          v[k * n + p] = c * vp - s * vq;
          v[k * n + q] = s * vp + c * vq;
        }
      }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => m[j * n + j]! - m[i * n + i]!,
  );
  return {
    values: Float64Array.from(order, (i) => m[i * n + i]!),
    vectors: matrix(
      n,
      n,
      Float64Array.from({ length: n * n }, (_, i) => v[Math.floor(i / n) * n + order[i % n]!]!),
    ),
  };
}
