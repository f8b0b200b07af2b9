import type { Block, Kernels } from '@tutti/kernels';
import { unpackedBlock } from './packed.js';
import { type Node, pathTo, split } from './tree.js';

/** What became of an offered node. */
export type Offer =
  /** Kept, and added to its sibling if that was there. */
  | 'held'
  /** Already covered by what was offered before: nothing changed. */
  | 'duplicate'
  /** The tree is complete: `sum` has the result. */
  | 'complete'
  /** [lo, hi) is no node of the tree: nothing changed. */
  | 'no-node';

/** Completes the canonical tree over one vector, in whatever order its nodes arrive. */
export interface Reducer {
  /**
   * Offers the sum over the shards [lo, hi). Bytes are as they travel, and are copied; a block passes
   * into the reducer's hands, whatever comes of the offer.
   * @throws RangeError if the values do not have the length of the vector
   */
  offer(lo: number, hi: number, values: Uint8Array | Block): Offer;
  /** The sum over all shards, once complete. Valid until `release`. */
  sum(): Block | undefined;
  /** Whether that is there, and nothing in it is infinite or NaN. */
  isFinite(): boolean;
  /** Of the sum over all shards, once complete: the sum of squares of each of these blocks. */
  squares(blocks: readonly BlockPlace[]): number[];
  /** The nodes held now, lowest first: maximal, disjoint. */
  nodes(): readonly HeldNode[];
  /** The shards that no held node covers. */
  missing(): number[];
  isMissing(shard: number): boolean;
  /** Forgets everything and gives the memory back. */
  release(): void;
}

/** A part of the vector, in elements. */
export interface BlockPlace {
  readonly start: number;
  readonly length: number;
}

export interface HeldNode extends Node {
  readonly values: Block;
}

export function createReducer(init: {
  readonly kernels: Kernels;
  readonly shards: number;
  /** Elements of the vector. */
  readonly length: number;
  /** Whether bytes come packed, as those of compressed gradients do. */
  readonly packed?: boolean;
}): Reducer {
  const { kernels, shards, length, packed = false } = init;
  const held = new Map<number, HeldNode>();
  /** The largest magnitude of the sum over all shards, if an addition has told it. */
  let largest: number | undefined;
  const root = { lo: 0, hi: shards };
  const isHeld = ({ lo, hi }: Node) => held.get(lo)?.hi === hi;
  const sorted = () => [...held.values()].sort((a, b) => a.lo - b.lo);

  function drop({ lo, values }: HeldNode) {
    held.delete(lo);
    kernels.free(values);
  }

  function refused(offer: Offer, values: Uint8Array | Block): Offer {
    if (!(values instanceof Uint8Array)) kernels.free(values);
    return offer;
  }

  function blockOf(bytes: Uint8Array): Block {
    if (packed) return unpackedBlock(kernels, bytes, length);
    const block = kernels.allocate(length);
    block.bytes.set(bytes);
    return block;
  }

  return {
    offer(lo, hi, values) {
      const isPacked = packed && values instanceof Uint8Array;
      const floats = values instanceof Uint8Array ? values.byteLength / 4 : values.length;
      if (floats !== length && !isPacked)
        throw new RangeError(`A node of ${floats} floats was offered for a vector of ${length}`);
      const path = pathTo(lo, hi, shards);
      if (path === undefined) return refused('no-node', values);
      if (path.some(isHeld)) return refused('duplicate', values);
      const block = values instanceof Uint8Array ? blockOf(values) : values;
      // What it covers is the same sum, only less complete. No node held reaches beyond: that would be a duplicate.
      for (let shard = lo; shard < hi; ) {
        const node = held.get(shard);
        if (node !== undefined) drop(node);
        shard = node?.hi ?? shard + 1;
      }

      held.set(lo, { lo, hi, values: block });
      for (let depth = path.length - 2; depth >= 0; depth--) {
        const parent = path[depth]!;
        const middle = split(parent.lo, parent.hi);
        const left = held.get(parent.lo);
        const right = held.get(middle);
        if (left?.hi !== middle || right?.hi !== parent.hi) return 'held';
        const most = kernels.add(left.values, left.values, right.values);
        if (depth === 0) largest = most;
        drop(right);
        held.set(parent.lo, { lo: parent.lo, hi: parent.hi, values: left.values });
      }
      return 'complete';
    },
    sum: () => (isHeld(root) ? held.get(0)!.values : undefined),
    isFinite() {
      if (!isHeld(root)) return false;
      // What comes as one node was added elsewhere.
      largest ??= kernels.maxAbs(held.get(0)!.values);
      return Number.isFinite(largest);
    },
    squares: (blocks) =>
      blocks.map((place) => kernels.sumOfSquares(held.get(0)!.values, place.start, place.length)),
    nodes: sorted,
    missing() {
      const missing: number[] = [];
      // What is held is keyed by its first shard, and nothing overlaps.
      for (let shard = 0; shard < shards; ) {
        const node = held.get(shard);
        if (node === undefined) missing.push(shard);
        shard = node?.hi ?? shard + 1;
      }
      return missing;
    },
    isMissing: (shard) => pathTo(shard, shard + 1, shards)?.some(isHeld) !== true,
    release() {
      largest = undefined;
      for (const node of sorted()) drop(node);
    },
  };
}
