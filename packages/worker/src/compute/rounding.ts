import { GROUP, type Kernels, type Rounding } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import { createRandom } from '@tutti/runtime';
import type { TakeChunk } from './chunker.js';

/** Rounds the gradient of one micro-batch, chunk by chunk, in place. */
export type RoundGradient = (step: number, shard: number) => TakeChunk;

/**
 * What `gradientCompression` does to a gradient, before the first addition: so whoever computes a
 * shard gets the same bits, and the sums stay what they are for any number of workers. Its chances
 * follow from (seed, step, shard). Moments that move by their mean are no gradients: groups that
 * hold some stay whole.
 * @returns undefined where gradients are not compressed
 */
export function createRounding(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
}): RoundGradient | undefined {
  const { plan, layout, kernels } = init;
  const { gradientCompression: to, seed } = plan;
  if (to === undefined) return undefined;
  const ranges = Array.from({ length: layout.chunks }, (_, chunk) => roundedRanges(layout, chunk));
  return (step, shard) => {
    const rounding: Rounding =
      to === 'int8' ? { to, key: createRandom('rounding', seed, step, shard).uint32() } : { to };
    return (chunk, block) => {
      for (const { start, length } of ranges[chunk]!)
        kernels.round(rounding, block, chunk * layout.chunkFloats + start, start, length);
    };
  };
}

/** Runs of whole groups that hold gradients alone. */
function roundedRanges(layout: Layout, chunk: number): { start: number; length: number }[] {
  const total = layout.chunkLength(chunk);
  const kept = layout.segments(chunk).filter(({ update }) => update === 'average');
  const ranges: { start: number; length: number }[] = [];
  let start = 0;
  const close = (end: number) => {
    if (end > start) ranges.push({ start, length: end - start });
  };
  for (const segment of kept) {
    close(Math.floor(segment.start / GROUP) * GROUP);
    start = Math.ceil((segment.start + segment.length) / GROUP) * GROUP;
  }
  close(total);
  return ranges;
}
