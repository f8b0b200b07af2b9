import type { Block, Kernels } from '@tutti/kernels';

/** The kernels of one role: what it holds of them is counted. */
export interface CountedKernels {
  readonly kernels: Kernels;
  /** Blocks that are allocated now. */
  blocks(): number;
  /** The most floats that were allocated at once. */
  peakFloats(): number;
  /** As the end of a process does: frees all that is left. */
  reclaim(): void;
}

/** One WebAssembly memory serves all roles of all runs: making one takes longer than a small run. */
export function countKernels(shared: Kernels): CountedKernels {
  const alive = new Set<Block>();
  let [floats, peakFloats] = [0, 0];
  return {
    kernels: {
      ...shared,
      allocate(length) {
        const block = shared.allocate(length);
        alive.add(block);
        floats += length;
        peakFloats = Math.max(peakFloats, floats);
        return block;
      },
      free(block) {
        if (alive.delete(block)) floats -= block.length;
        shared.free(block);
      },
    },
    blocks: () => alive.size,
    peakFloats: () => peakFloats,
    reclaim() {
      for (const block of alive) shared.free(block);
      alive.clear();
    },
  };
}
