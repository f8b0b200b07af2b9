import type { Layout } from '@tutti/parameters';
import { WINDOW_BYTES } from '../tunables.js';

/** How many chunks may be on their way to a server at a time, if each is so many tensors. */
export function windowWidth(layout: Pick<Layout, 'chunkFloats'>, tensors: number): number {
  return Math.max(2, Math.floor(WINDOW_BYTES / (4 * layout.chunkFloats * tensors)));
}

/** Gives out the chunks that are not stored, only so many at a time. */
export interface Window {
  /** Something may have been stored: gives out more, if there is room for it. */
  advance(): void;
  /** What was under way is lost: gives it out again. */
  again(): void;
}

/**
 * @param init.tensors how many values of each parameter travel
 * @param init.stored the chunks that need not be given out any more; grows
 */
export function createWindow(init: {
  readonly layout: Layout;
  readonly tensors: number;
  readonly stored: ReadonlySet<number>;
  readonly give: (chunks: readonly number[]) => void;
}): Window {
  const { layout, tensors, stored, give } = init;
  const width = windowWidth(layout, tensors);
  const underWay = new Set<number>();
  let next = 0;

  function settle() {
    for (const chunk of underWay) if (stored.has(chunk)) underWay.delete(chunk);
  }

  return {
    advance() {
      settle();
      // In batches: a request for each chunk would cost as much as the chunk.
      if (underWay.size > width / 2) return;
      const more: number[] = [];
      for (; next < layout.chunks && underWay.size < width; next++) {
        if (stored.has(next)) continue;
        underWay.add(next);
        more.push(next);
      }
      if (more.length > 0) give(more);
    },
    again() {
      settle();
      if (underWay.size > 0) give([...underWay]);
    },
  };
}
