import { createRandom, TuttiError } from '@tutti/runtime';

export interface SamplerOptions {
  /** Examples in the training set, 1 to 2^32 - 1. */
  readonly examples: number;
  /** Examples of one step over all shards; the last step of an epoch may have fewer. */
  readonly batchSize: number;
  readonly shards: number;
  readonly seed: number;
}

export interface MicroBatchIndices {
  readonly epoch: number;
  /** Positions in the training set; empty where the shard has nothing in this step. */
  readonly indices: Uint32Array;
}

/** Says which examples form a micro-batch: a function of (seed, epoch, step, shard) alone. */
export interface Sampler {
  /** ceil(examples / batchSize). */
  readonly stepsPerEpoch: number;
  /**
   * The micro-batch of one shard.
   * @param step counted over the whole run, from 0; its epoch is floor(step / stepsPerEpoch)
   * @throws TuttiError BAD_CONFIG if there is no such step or shard
   */
  microBatch(step: number, shard: number): MicroBatchIndices;
}

/**
 * Cuts a training set into fixed, disjoint shards and shuffles each of them anew every epoch.
 *
 * The rule. Shard s owns the offsets [start_s, start_s + b_s) of every run of `batchSize`
 * neighbouring examples, where start_s = floor(s * batchSize / shards) and
 * b_s = start_(s+1) - start_s: position p belongs to the shard that owns p mod batchSize. So its
 * k-th example is floor(k / b_s) * batchSize + start_s + k mod b_s, and no table is needed.
 * In each epoch its examples are shuffled by the generator of ['shuffle', seed, epoch, shard], and
 * step j of the epoch takes the j-th run of b_s of them.
 *
 * It follows that every example is taken exactly once an epoch, and that all steps but the last have
 * exactly `batchSize` examples. In the last step a shard may have fewer or none; with
 * batchSize < shards some shards never have any.
 *
 * Memory: the latest permutation of each shard asked for, at most 4 bytes an example in all.
 * @throws TuttiError BAD_CONFIG
 */
export function createSampler(options: SamplerOptions): Sampler {
  const { examples, batchSize, shards, seed } = options;
  requireInteger('examples', examples, 1, 2 ** 32 - 1);
  requireInteger('batchSize', batchSize, 1, 2 ** 32 - 1);
  requireInteger('shards', shards, 1, 2 ** 20);
  requireInteger('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

  const stepsPerEpoch = Math.ceil(examples / batchSize);
  const wholeSteps = Math.floor(examples / batchSize);
  const remainder = examples - wholeSteps * batchSize;
  const latest = new Map<number, { epoch: number; order: Uint32Array }>();

  function permutation(epoch: number, shard: number): Uint32Array {
    const known = latest.get(shard);
    if (known?.epoch === epoch) return known.order;
    const [start, end] = intervalOf(batchSize, shards, shard);
    const width = end - start;
    const inLastStep = Math.min(Math.max(remainder - start, 0), width);
    // A shard's memory is used again: nobody else has seen it.
    const order = known?.order ?? new Uint32Array(wholeSteps * width + inLastStep);
    for (let base = start, k = 0; k < order.length; base += batchSize) {
      for (let i = 0; i < width && k < order.length; i++) order[k++] = base + i;
    }
    createRandom('shuffle', seed, epoch, shard).shuffle(order);
    latest.set(shard, { epoch, order });
    return order;
  }

  return {
    stepsPerEpoch,
    microBatch(step, shard) {
      requireInteger('step', step, 0, Number.MAX_SAFE_INTEGER);
      requireInteger('shard', shard, 0, shards - 1);
      const epoch = Math.floor(step / stepsPerEpoch);
      const stepInEpoch = step - epoch * stepsPerEpoch;
      const [start, end] = intervalOf(batchSize, shards, shard);
      const width = end - start;
      const order = permutation(epoch, shard);
      return { epoch, indices: order.slice(stepInEpoch * width, (stepInEpoch + 1) * width) };
    },
  };
}

/**
 * The contiguous range [from, to) of an evaluation set that one shard evaluates: the ranges of all
 * shards are disjoint, cover the set and differ by at most one in length.
 */
export function evaluationShard(
  examples: number,
  shards: number,
  shard: number,
): readonly [from: number, to: number] {
  requireInteger('examples', examples, 0, 2 ** 32 - 1);
  requireInteger('shards', shards, 1, 2 ** 20);
  requireInteger('shard', shard, 0, shards - 1);
  return intervalOf(examples, shards, shard);
}

/** The indices from `from` up to, not including, `to`, in order, at most `size` at a time. */
export function* batches(from: number, to: number, size: number): Generator<Uint32Array> {
  requireInteger('size', size, 1, Number.MAX_SAFE_INTEGER);
  for (let start = from; start < to; start += size) {
    const length = Math.min(size, to - start);
    yield Uint32Array.from({ length }, (_, i) => start + i);
  }
}

/** Interval `part` of [0, length) cut into `parts`, as even as possible. */
function intervalOf(length: number, parts: number, part: number): [number, number] {
  return [Math.floor((part * length) / parts), Math.floor(((part + 1) * length) / parts)];
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new TuttiError(
    'BAD_CONFIG',
    `${name} is ${value}, not an integer from ${least} to ${most}`,
    {
      remedy: `Give ${name} a value in that range.`,
      details: { name, value, least, most },
    },
  );
}
