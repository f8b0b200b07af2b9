/** The shards in [0, shards) that nobody has yet. */
export interface FreeShards {
  has(shard: number): boolean;
  take(shard: number): void;
  /** The free shard that lies closest to any of these, the lower of two; the lowest, if these are none. */
  nearest(to: readonly number[]): number | undefined;
}

export function createFreeShards(shards: number): FreeShards {
  const above = createSkips(shards);
  // The same from the other end.
  const below = createSkips(shards);
  const mirrored = (shard: number) => shards - 1 - shard;

  return {
    has: (shard) => above.next(shard) === shard,
    take(shard) {
      above.drop(shard);
      below.drop(mirrored(shard));
    },
    nearest(to) {
      if (to.length === 0) return inRange(above.next(0));
      let best: number | undefined;
      let least = Number.POSITIVE_INFINITY;
      for (const shard of to)
        for (const found of [mirrored(below.next(mirrored(shard))), above.next(shard)]) {
          const distance = Math.abs(found - shard);
          if (inRange(found) === undefined || distance > least) continue;
          if (distance === least && found > best!) continue;
          [best, least] = [found, distance];
        }
      return best;
    },
  };

  function inRange(shard: number): number | undefined {
    return shard >= 0 && shard < shards ? shard : undefined;
  }
}

/** Numbers in [0, length) that can be dropped; what lies between two that are left is skipped at once. */
function createSkips(length: number) {
  /** Itself while it is there; else one that is no further than the next that is. */
  const onward = Array.from({ length: length + 1 }, (_, at) => at);
  return {
    /** The first that is there from `at` on; `length` if none is. */
    next(at: number): number {
      let found = at;
      while (onward[found] !== found) found = onward[found]!;
      // Whoever comes this way again finds it at once.
      for (let each = at; each !== found; ) {
        const following = onward[each]!;
        onward[each] = found;
        each = following;
      }
      return found;
    },
    drop(at: number): void {
      onward[at] = at + 1;
    },
  };
}
