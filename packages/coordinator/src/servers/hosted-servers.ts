import type { Clock, Timer } from '@tutti/runtime';
import { HOST_PATIENCE_MS } from '../tunables.js';

/**
 * The servers that worker processes host, as their workers say when they join: which of them hold a range,
 * and which stand in for one whose process is gone.
 */
export interface HostedServers {
  /**
   * A peer would like to be a worker. Until it is clear which job this is, nobody can be admitted, and the
   * servers are those of whoever comes; from then on only those of workers that were admitted take a range.
   * @param address where a server can be reached that the process of this peer hosts
   * @param known the servers of the job, as a coordinator before told them
   */
  offered(peer: string, address: string | undefined, known: readonly string[]): void;
  /** Whether somebody has come who knows the servers of the job from a coordinator before. */
  remembered(): boolean;
  /**
   * Has the servers that such a one has told hold the ranges, though others came first.
   * @returns false if they do already, or nobody has told
   */
  restore(): boolean;
  /** It is clear which job this is. */
  identified(): void;
  /** The peer is a worker of the job, of this name: its server may stand in for another. */
  admitted(peer: string, worker: string): void;
  /** The worker hangs, and so does the server in its process, whether or not connections to it stand. */
  hung(peer: string): void;
  /** The worker is gone, and mostly its server. */
  withdrawn(peer: string): void;
  /** The connection to a server that holds a range is lost. */
  away(at: number): void;
  /** Nobody listens where it was: its process is gone. */
  refused(at: number): void;
  /** It answers. */
  back(at: number): void;
  /** Whether nobody expects it back. */
  isGone(at: number): boolean;
  /** Who has said that its process hosts the server at an address. */
  peerOf(address: string): string | undefined;
  /** The worker in whose process the server at an address is, or was. */
  workerOf(address: string): string | undefined;
  close(): void;
}

export function createHostedServers(init: {
  /** So many are to hold a range. */
  readonly count: number;
  readonly clock: Clock;
  /** Where those are that hold one. */
  readonly addresses: () => readonly string[];
  /** Has these hold the ranges, in this order. */
  readonly take: (addresses: readonly string[]) => void;
  /** Has another hold a range in place of one that is gone, and took its weights with it. */
  readonly replace: (at: number, address: string) => void;
  /** Takes the connection to one that holds a range for lost. */
  readonly drop: (at: number) => void;
  /** One is not expected back, and nobody may have taken its range. */
  readonly gaveUp: () => void;
}): HostedServers {
  const { count, clock, addresses, take, replace } = init;
  const offers = new Map<string, string>();
  const workers = new Set<string>();
  /** By address, the names of those that were admitted. */
  const names = new Map<string, string>();
  let identified = false;
  /** The servers of the job, as a coordinator before told them, and whether those were taken. */
  let before: { readonly known: readonly string[]; taken: boolean } | undefined;
  /** Those that are not reached, and whether that is for good. */
  const lost = new Map<number, { gone: boolean; timer: Timer }>();

  const spare = () =>
    [...offers].find(
      ([peer, address]) => (!identified || workers.has(peer)) && !addresses().includes(address),
    )?.[1];

  function fill() {
    for (const [at, { gone, timer }] of lost) {
      const address = gone ? spare() : undefined;
      if (address === undefined) continue;
      timer.cancel();
      lost.delete(at);
      // Its worker offers it again, should it be back.
      const before = addresses()[at]!;
      for (const [peer, offered] of offers) if (offered === before) offers.delete(peer);
      replace(at, address);
      // That one may be gone, too.
      entry(at);
    }
  }

  function entry(at: number) {
    let found = lost.get(at);
    if (found === undefined) {
      // It may be cut off, and have what it had when it is back.
      const timer = clock.after(HOST_PATIENCE_MS, () => giveUp(at));
      found = { gone: false, timer };
      lost.set(at, found);
    }
    return found;
  }

  function giveUp(at: number) {
    entry(at).gone = true;
    fill();
    init.gaveUp();
  }

  function forget() {
    for (const { timer } of lost.values()) timer.cancel();
    lost.clear();
  }

  function restore(): boolean {
    if (before === undefined || before.taken) return false;
    before.taken = true;
    forget();
    take(before.known);
    return true;
  }

  return {
    offered(peer, address, known) {
      if (address !== undefined) offers.set(peer, address);
      const now = addresses();
      if (known.length === count) before ??= { known, taken: false };
      // What the coordinator before had made of it counts, not who is back first.
      if (now.length < count && before !== undefined) restore();
      else if (now.length < count && address !== undefined && !now.includes(address))
        take([...now, address]);
      fill();
    },
    remembered: () => before !== undefined,
    restore,
    identified() {
      identified = true;
    },
    admitted(peer, worker) {
      workers.add(peer);
      const address = offers.get(peer);
      if (address !== undefined) names.set(address, worker);
      fill();
    },
    hung(peer) {
      const at = addresses().indexOf(offers.get(peer) ?? '');
      if (at < 0) return;
      init.drop(at);
      giveUp(at);
    },
    withdrawn(peer) {
      offers.delete(peer);
      workers.delete(peer);
    },
    away: (at) => void entry(at),
    refused: giveUp,
    back(at) {
      lost.get(at)?.timer.cancel();
      lost.delete(at);
    },
    isGone: (at) => lost.get(at)?.gone === true,
    peerOf: (wanted) => [...offers].find(([, address]) => address === wanted)?.[0],
    workerOf: (address) => names.get(address),
    close: forget,
  };
}
