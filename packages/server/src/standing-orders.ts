/** A peer's order for weights: the version that it is sent now, and what of that has not gone out. */
interface StandingOrder {
  /** The version that it was given with. */
  readonly from: number;
  readonly until: number;
  version: number;
  readonly open: Set<number>;
}

/** Who is to be sent which weights as they come. */
export interface StandingOrders {
  /**
   * In place of the peer's order before.
   * @returns false if the weights of `version` are gone
   */
  place(peer: string, version: number, until: number): boolean;
  /** A chunk has come to another version: sends it to whoever waits for it. */
  serve(chunk: number): void;
  /**
   * The lowest version that an order was given with, of those for versions after `past`; whoever gave it has
   * all that came two before.
   */
  lowest(past: number): number;
  forget(peer: string): void;
}

/**
 * @param init.version that of a chunk now; -1 before it has weights
 * @param init.has whether a chunk can be sent as of a version that it has come to
 * @param init.ship sends a chunk to some peers
 */
export function createStandingOrders(init: {
  readonly chunks: readonly number[];
  readonly version: (chunk: number) => number;
  readonly has: (chunk: number, version: number) => boolean;
  readonly ship: (peers: readonly string[], version: number, chunk: number) => void;
}): StandingOrders {
  const { chunks, has, ship } = init;
  const orders = new Map<string, StandingOrder>();

  /** Sends what is there of the order's version. False if some of that is gone. */
  function begin(peer: string, order: StandingOrder): boolean {
    for (const chunk of chunks) {
      if (init.version(chunk) < order.version) order.open.add(chunk);
      else if (has(chunk, order.version)) ship([peer], order.version, chunk);
      else return false;
    }
    return true;
  }

  /** Goes on to the next version, once all of one has gone out. */
  function goOn(peer: string, order: StandingOrder) {
    while (order.open.size === 0 && order.version < order.until) {
      order.version++;
      begin(peer, order);
    }
  }

  return {
    place(peer, version, until) {
      const order = { from: version, until, version, open: new Set<number>() };
      orders.set(peer, order);
      const there = begin(peer, order);
      if (there) goOn(peer, order);
      return there;
    },
    serve(chunk) {
      const version = init.version(chunk);
      const waiting = [...orders].filter(
        ([, order]) => order.version === version && order.open.delete(chunk),
      );
      ship(
        waiting.map(([peer]) => peer),
        version,
        chunk,
      );
      for (const [peer, order] of waiting) goOn(peer, order);
    },
    lowest(past) {
      const later = [...orders.values()].filter(({ until }) => until > past);
      return Math.min(...later.map(({ from }) => from));
    },
    forget: (peer) => void orders.delete(peer),
  };
}
