import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { Contribution, JobPlan } from '@tutti/protocol';
import { createReducer, type Offer } from '@tutti/reduction';
import { createStepProgress, type ReadyChunk, type StepProgress } from './step-progress.js';

/** The sum of one chunk, and what the server must know to apply it. */
export interface ReadySum extends ReadyChunk {
  readonly sum: Block;
}

/**
 * The aggregation of one step: completes the canonical tree of every chunk, and gives out the sums
 * that may be applied. Knows nothing of who sends what over which wire.
 */
export interface Step extends Omit<StepProgress, 'give' | 'complete'> {
  /**
   * Bytes are as they travel, and are copied; a block passes into the step's hands, whatever comes of the offer.
   * @throws RangeError if the values do not have the length of the chunk
   */
  contribute(contribution: Contribution, values: Uint8Array | Block): Offer;
  /** As of `StepProgress`, with the sums. */
  give(take: (ready: ReadySum) => void, admits?: (chunk: number) => boolean): void;
  release(): void;
}

export function createStep(init: {
  readonly step: number;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
}): Step {
  const { plan, layout, kernels } = init;
  const packed = plan.gradientCompression !== undefined;
  const reducers = Array.from({ length: layout.chunks }, (_, chunk) =>
    createReducer({ kernels, shards: plan.shards, length: layout.chunkLength(chunk), packed }),
  );
  const progress = createStepProgress({
    ...init,
    sums: {
      isFinite: (chunk) => reducers[chunk]!.isFinite(),
      squares: (chunk) => reducers[chunk]!.squares(layout.trainedBlocks(chunk)),
      missing: (chunk) => reducers[chunk]!.missing(),
      isMissing: (chunk, shard) => reducers[chunk]!.isMissing(shard),
    },
  });

  return {
    ...progress,
    contribute({ lo, hi, chunk }, values) {
      const reducer = reducers[chunk];
      if (reducer === undefined || !progress.isOpen(chunk)) {
        if (!(values instanceof Uint8Array)) kernels.free(values);
        return reducer === undefined ? 'no-node' : 'duplicate';
      }
      const offer = reducer.offer(lo, hi, values);
      if (offer === 'complete') progress.complete(chunk);
      return offer;
    },
    give(take, admits) {
      progress.give((ready) => take({ ...ready, sum: reducers[ready.chunk]!.sum()! }), admits);
    },
    applied(chunk) {
      progress.applied(chunk);
      reducers[chunk]?.release();
    },
    release() {
      for (const reducer of reducers) reducer.release();
    },
  };
}
