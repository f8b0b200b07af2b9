import { checkKeys } from '@tutti/runtime';
import { gather, sizeOf, stored } from '../expressions/expression.js';
import { kMeans } from '../k-means.js';
import { badRule, called, type KindRule, type Pretrained, show, wholeFrom1 } from '../rule.js';

export interface CodebookOptions {
  /** Entries of the codebook: numbers, or vectors of `dimension` neighbours. */
  readonly values: number;
  /** Elements of an entry: above 1, this is product quantisation. Default 1. */
  readonly dimension?: number | undefined;
  /**
   * Which entry each element reads (each run of `dimension`), from 0, or -1 for none, which stays 0: of a codebook
   * that was made elsewhere. By k-means, if not given.
   */
  readonly index?: ArrayLike<number> | undefined;
  /** What is clustered; the model's own first values, if not given. */
  readonly from?: Pretrained | undefined;
}

/**
 * Each element reads the centroid of its cluster, found by k-means (Han et al. 2016: Deep
 * Compression); with `dimension`, each run of neighbours reads a vector (Gong et al. 2014). Which one
 * it reads stays as it is, the centroids are trained. Elements that are 0, of a pruned weight, stay 0.
 */
export function codebook(names: string | readonly string[], options: CodebookOptions): KindRule {
  checkKeys('codebook', options, { values: true, dimension: true, index: true, from: true });
  const { dimension = 1, index: given, from } = options;
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
      const found =
        given === undefined
          ? clustered(rule, values, options.values, dimension)
          : assigned(rule, values, options.values, dimension, given);
      const storedShape = dimension === 1 ? [options.values] : [options.values, dimension];
      const expression = gather(stored(name, storedShape), found.index, shape, dimension);
      return {
        stored: [{ name, shape: storedShape }],
        expressions: [expression],
        initial: () => ({ [name]: Float32Array.from(found.centroids) }),
      };
    },
  };
}

interface Clusters {
  readonly centroids: ArrayLike<number>;
  /** For each run the number of its centroid, from 1; 0 for none. */
  readonly index: Int32Array;
}

function clustered(rule: string, values: Float32Array, count: number, dimension: number): Clusters {
  const isZero = (run: number) =>
    values.subarray(run * dimension, (run + 1) * dimension).every((value) => value === 0);
  const runs = Array.from({ length: values.length / dimension }, (_, run) => run);
  const used = runs.filter((run) => !isZero(run));
  // Weights that begin at 0 would all be none.
  const chosen = used.length === 0 ? runs : used;
  const clusters = wholeFrom1(rule, 'values', count, chosen.length);
  const points = new Float32Array(chosen.length * dimension);
  for (const [at, run] of chosen.entries())
    points.set(values.subarray(run * dimension, (run + 1) * dimension), at * dimension);
  const { centroids, nearest } = kMeans(points, clusters, dimension);
  const index = new Int32Array(runs.length);
  for (const [at, run] of chosen.entries()) index[run] = nearest[at]! + 1;
  return { centroids, index };
}

/** The entries are the means of what reads them, or 0 if nothing does. */
function assigned(
  rule: string,
  values: Float32Array,
  count: number,
  dimension: number,
  given: ArrayLike<number>,
): Clusters {
  wholeFrom1(rule, 'values', count);
  const runs = values.length / dimension;
  if (given.length !== runs)
    throw badRule(
      `The index of ${rule} has ${given.length} numbers for ${runs} ${dimension === 1 ? 'elements' : `runs of ${dimension}`}`,
      'Give one for each, in the order of the flat weight.',
    );
  const index = Int32Array.from(given, (entry) => entry + 1);
  const readers = new Float64Array(count);
  const sums = new Float64Array(count * dimension);
  for (let run = 0; run < runs; run++) {
    const entry = given[run]!;
    if (!Number.isSafeInteger(entry) || entry < -1 || entry >= count)
      throw badRule(
        `The index of ${rule} names entry ${entry} of ${count}`,
        'Count from 0, and give -1 for what reads none and stays 0.',
      );
    if (entry < 0) continue;
    readers[entry]! += 1;
    for (let k = 0; k < dimension; k++)
      sums[entry * dimension + k]! += values[run * dimension + k]!;
  }
  const centroids = sums.map((sum, at) => sum / Math.max(1, readers[Math.floor(at / dimension)]!));
  return { centroids, index };
}
