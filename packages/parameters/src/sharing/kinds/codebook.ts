import { checkKeys } from '@tutti/runtime';
import { gather, sizeOf, stored } from '../expression.js';
import { kMeans } from '../k-means.js';
import { badRule, called, type KindRule, type Pretrained, show, wholeFrom1 } from '../rule.js';

export interface CodebookOptions {
  /** Entries of the codebook: numbers, or vectors of `dimension` neighbours. */
  readonly values: number;
  /** Elements of an entry: above 1, this is product quantisation. Default 1. */
  readonly dimension?: number;
  /** What is clustered; the model's own first values, if not given. */
  readonly from?: Pretrained;
}

/**
 * Each element reads the centroid of its cluster, found by k-means (Han et al. 2016: Deep
 * Compression); with `dimension`, each run of neighbours reads a vector (Gong et al. 2014). Which one
 * it reads stays as it is, the centroids are trained. Elements that are 0, of a pruned weight, stay 0.
 */
export function codebook(names: string | readonly string[], options: CodebookOptions): KindRule {
  checkKeys('codebook', options, { values: true, dimension: true, from: true });
  const { dimension = 1, from } = options;
  return {
    kind: 'codebook',
    names: [names].flat(),
    from,
    define([weight], valuesOf) {
      const { name, shape } = weight!;
      const rule = called('codebook', [name]);
      wholeFrom1(rule, 'dimension', dimension);
      const size = sizeOf(shape);
      if (size % dimension !== 0)
        throw badRule(`${rule} has vectors of ${dimension}, but "${name}" is ${show(shape)}`);
      const values = valuesOf(weight!);
      const isZero = (run: number) =>
        values.subarray(run * dimension, (run + 1) * dimension).every((value) => value === 0);
      const runs = Array.from({ length: size / dimension }, (_, run) => run);
      const used = runs.filter((run) => !isZero(run));
      // Weights that begin at 0 would all be none.
      const chosen = used.length === 0 ? runs : used;
      const clusters = wholeFrom1(rule, 'values', options.values, chosen.length);
      const points = new Float32Array(chosen.length * dimension);
      for (const [at, run] of chosen.entries())
        points.set(values.subarray(run * dimension, (run + 1) * dimension), at * dimension);
      const { centroids, nearest } = kMeans(points, clusters, dimension);
      const index = new Int32Array(runs.length);
      for (const [at, run] of chosen.entries()) index[run] = nearest[at]! + 1;
      const storedShape = dimension === 1 ? [clusters] : [clusters, dimension];
      const expression = gather(stored(name, storedShape), index, shape, dimension);
      return {
        stored: [{ name, shape: storedShape }],
        expressions: [expression],
        initial: () => ({ [name]: Float32Array.from(centroids) }),
      };
    },
  };
}
