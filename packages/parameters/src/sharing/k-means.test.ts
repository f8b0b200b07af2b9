import assert from 'node:assert/strict';
import fc from 'fast-check';
import { kMeans } from './k-means.js';

describe('kMeans', () => {
  const points = fc.array(fc.float({ min: -5, max: 5, noNaN: true }), {
    minLength: 8,
    maxLength: 80,
  });

  for (const dimension of [1, 2])
    it(`gives every point its nearest centroid, and centroids that are means, in ${dimension}`, () => {
      fc.assert(
        fc.property(points, fc.integer({ min: 1, max: 4 }), (drawn, clusters) => {
          const values = drawn.slice(0, drawn.length - (drawn.length % dimension));
          const { centroids, nearest } = kMeans(values, clusters, dimension);
          const at = (from: ArrayLike<number>, i: number) =>
            Array.from({ length: dimension }, (_, d) => from[i * dimension + d]!);
          const distance = (i: number, k: number) =>
            at(values, i).reduce((sum, x, d) => sum + (x - at(centroids, k)[d]!) ** 2, 0);
          for (const [i, k] of nearest.entries())
            for (let other = 0; other < clusters; other++)
              assert.ok(distance(i, k) <= distance(i, other) + 1e-9);
          for (let k = 0; k < clusters; k++) {
            const members = [...nearest.keys()].filter((i) => nearest[i] === k);
            if (members.length === 0) continue;
            for (let d = 0; d < dimension; d++) {
              const mean = members.reduce((sum, i) => sum + at(values, i)[d]!, 0) / members.length;
              assert.ok(Math.abs(at(centroids, k)[d]! - mean) < 1e-9);
            }
          }
        }),
      );
    });

  it('keeps a centroid for the few that are large', () => {
    const values = [...Array.from({ length: 99 }, (_, i) => i / 1000), 10];
    const { centroids, nearest } = kMeans(values, 4);
    assert.equal(centroids[nearest[99]!], 10);
  });
});
