/**
 * The canonical tree of additions over the data shards [0, shards).
 *
 * Node [lo, hi) splits at `lo + p`, where p is the largest power of two below `hi - lo`; its value
 * is `left + right`, element by element, in float32. Which node anyone holds never matters: the
 * shape of the sum is fixed, so its bits are.
 */
export interface Node {
  readonly lo: number;
  readonly hi: number;
}

/** Where node [lo, hi) splits. Only for nodes of two shards or more. */
export function split(lo: number, hi: number): number {
  return lo + 2 ** (31 - Math.clz32(hi - lo - 1));
}

/** The nodes from the root down to [lo, hi), or undefined if the tree has no such node. */
export function pathTo(lo: number, hi: number, shards: number): Node[] | undefined {
  if (!(lo >= 0 && lo < hi && hi <= shards)) return undefined;
  const path: Node[] = [];
  let node: Node = { lo: 0, hi: shards };
  for (;;) {
    path.push(node);
    if (node.lo === lo && node.hi === hi) return path;
    if (node.hi - node.lo < 2) return undefined;
    const middle = split(node.lo, node.hi);
    if (hi <= middle) node = { lo: node.lo, hi: middle };
    else if (lo >= middle) node = { lo: middle, hi: node.hi };
    else return undefined;
  }
}

/** The maximal complete nodes over a set of shards: the fewest nodes that cover exactly these. */
export function maximalNodes(owned: Iterable<number>, shards: number): Node[] {
  const sorted = [...new Set(owned)].filter((shard) => shard >= 0).sort((a, b) => a - b);
  const nodes: Node[] = [];
  /** Of those that no call has come past. */
  let next = 0;
  // Returns whether [lo, hi) is covered; adds nodes only where the parent is not.
  const cover = (lo: number, hi: number): boolean => {
    // Whoever owns few of many looks at few.
    if (!(sorted[next]! < hi)) return false;
    if (hi - lo === 1) {
      next++;
      return true;
    }
    const middle = split(lo, hi);
    const left = cover(lo, middle);
    const right = cover(middle, hi);
    if (left && right) return true;
    if (left) nodes.push({ lo, hi: middle });
    if (right) nodes.push({ lo: middle, hi });
    return false;
  };
  if (shards > 0 && cover(0, shards)) nodes.push({ lo: 0, hi: shards });
  return nodes.sort((a, b) => a.lo - b.lo);
}
