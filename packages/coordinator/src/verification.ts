import type { ShardReport } from '@tutti/protocol';
import { type Claim, judge } from './verdict.js';

/** A run of shards whose gradients one worker computed and added up. */
export interface Shards {
  readonly lo: number;
  readonly hi: number;
}

/** What a worker is asked to compute again, for comparison. */
export interface Order extends Shards {
  readonly order: number;
  readonly worker: string;
}

/** What computing a node of the tree came to. */
export interface Recomputed {
  /** The digest of each chunk of the sum. */
  readonly digests: readonly string[];
  /** The numbers of each micro-batch. */
  readonly reports: readonly ShardReport[];
}

export interface Dispute extends Shards {
  /** Who gives wrong bits. Nobody, if that cannot be told. */
  readonly faulty: readonly string[];
  /** Whoever has computed these shards. */
  readonly claimants: readonly string[];
}

/** A worker that can be asked, and how many shards it computes in a step. */
export interface Verifier {
  readonly worker: string;
  readonly shards: number;
}

/**
 * The check of one step: everything that is to be applied has been computed by two workers, to the
 * same bits. What is compared is what arrived and is added up, node by node and chunk by chunk; so a
 * bit that flips in the sum of a worker or on the wire shows as well as one in its gradient.
 */
export interface Verification {
  /** What the reducer took: the sum over [lo, hi) of one chunk. */
  contributed(worker: string, node: Shards & { readonly chunk: number }, digest: string): void;
  /** The numbers that count for one shard: the first report. */
  reported(worker: string, report: ShardReport): void;
  /**
   * Once all is there: what is to be computed again, and by whom. Again after every answer, and when
   * workers have come or gone: those that were asked and are gone are replaced.
   */
  orders(verifiers: readonly Verifier[]): readonly Order[];
  /** Who has not answered yet. */
  readonly pending: readonly Order[];
  /** An answer to an order; one that nobody waits for is ignored. */
  answered(worker: string, order: number, what: Recomputed): void;
  /** Set once something differs and it is known whose fault it is, or that nobody can tell. */
  readonly dispute: Dispute | undefined;
  /** All is there, and right. */
  readonly settled: boolean;
}

/** One thing that can be right or wrong, and what has been said of it. */
interface Piece extends Shards {
  readonly claims: Claim[];
}

export function createVerification(newOrder: () => number): Verification {
  /** By chunk, the nodes that its sum is made of. */
  const sums = new Map<number, Map<string, Piece>>();
  const numbers = new Map<number, Piece>();
  const pending = new Map<number, Order>();
  let dispute: Dispute | undefined;
  let settled = false;

  const keyOf = ({ lo, hi }: Shards) => `${lo}-${hi}`;

  /** The nodes that were contributed, each with everything that computing it again says something of. */
  function nodes(): Map<string, Shards & { readonly pieces: Piece[] }> {
    const found = new Map<string, Shards & { readonly pieces: Piece[] }>();
    for (const ofChunk of sums.values())
      for (const piece of ofChunk.values()) {
        const node = found.get(keyOf(piece)) ?? { lo: piece.lo, hi: piece.hi, pieces: [] };
        node.pieces.push(piece);
        found.set(keyOf(piece), node);
      }
    for (const node of found.values())
      for (let shard = node.lo; shard < node.hi; shard++) node.pieces.push(numbers.get(shard)!);
    return found;
  }

  function claim(piece: Piece | undefined, worker: string, digest: string) {
    piece?.claims.push({ worker, digest });
  }

  return {
    contributed(worker, { lo, hi, chunk }, digest) {
      const ofChunk = sums.get(chunk) ?? new Map<string, Piece>();
      sums.set(chunk, ofChunk);
      // The reducer has dropped what the new node covers.
      for (const [key, old] of ofChunk) if (old.lo >= lo && old.hi <= hi) ofChunk.delete(key);
      ofChunk.set(keyOf({ lo, hi }), { lo, hi, claims: [{ worker, digest }] });
    },
    reported(worker, report) {
      const { shard } = report;
      if (numbers.has(shard)) return;
      const claims = [{ worker, digest: numbersOf(report) }];
      numbers.set(shard, { lo: shard, hi: shard + 1, claims });
    },
    orders(verifiers) {
      if (dispute !== undefined) return [];
      const here = verifiers.map(({ worker }) => worker);
      for (const [id, { worker }] of pending) if (!here.includes(worker)) pending.delete(id);
      const load = new Map<string, number>();
      for (const { worker, lo, hi } of pending.values())
        load.set(worker, (load.get(worker) ?? 0) + hi - lo);
      const given: Order[] = [];
      let open = false;
      for (const { lo, hi, pieces } of nodes().values()) {
        if ([...pending.values()].some((each) => each.lo === lo && each.hi === hi)) {
          open = true;
          continue;
        }
        const verdicts = pieces.map(({ claims }) => judge(claims, here));
        const claimants = new Set(pieces.flatMap(({ claims }) => claims.map((c) => c.worker)));
        const faulty = new Set(
          verdicts.flatMap((each) => (each.kind === 'faulty' ? each.workers : [])),
        );
        if (faulty.size > 0 || verdicts.some(({ kind }) => kind === 'undecidable')) {
          dispute = { lo, hi, faulty: [...faulty], claimants: [...claimants] };
          return [];
        }
        const asked = verdicts.flatMap((each) => (each.kind === 'ask' ? [each.whom] : []));
        if (asked.length === 0) continue;
        open = true;
        const whom = leastLoaded(verifiers, load, hi - lo, asked);
        if (whom === undefined) continue;
        load.set(whom, (load.get(whom) ?? 0) + hi - lo);
        given.push({ order: newOrder(), worker: whom, lo, hi });
      }
      for (const order of given) pending.set(order.order, order);
      settled = !open;
      return given;
    },
    get pending() {
      return [...pending.values()];
    },
    answered(worker, order, { digests, reports }) {
      const asked = pending.get(order);
      if (asked?.worker !== worker) return;
      pending.delete(order);
      const key = keyOf(asked);
      for (const [chunk, ofChunk] of sums)
        claim(ofChunk.get(key), worker, digests[chunk] ?? 'none');
      for (let shard = asked.lo; shard < asked.hi; shard++) {
        const report = reports.find((each) => each.shard === shard);
        claim(numbers.get(shard), worker, report === undefined ? 'none' : numbersOf(report));
      }
    },
    get dispute() {
      return dispute;
    },
    get settled() {
      return settled;
    },
  };
}

/** Of those whom most pieces ask, the one that is done first. */
function leastLoaded(
  verifiers: readonly Verifier[],
  load: ReadonlyMap<string, number>,
  size: number,
  asked: readonly (readonly string[])[],
): string | undefined {
  const wanted = (worker: string) => asked.filter((whom) => whom.includes(worker)).length;
  const doneAt = ({ worker, shards }: Verifier) =>
    ((load.get(worker) ?? 0) + size) / Math.max(1, shards);
  const most = Math.max(0, ...verifiers.map(({ worker }) => wanted(worker)));
  return verifiers
    .filter(({ worker }) => most > 0 && wanted(worker) === most)
    .reduce<Verifier | undefined>(
      (best, each) => (best === undefined || doneAt(each) < doneAt(best) ? each : best),
      undefined,
    )?.worker;
}

/** What of a report must be the same whoever computes it. */
function numbersOf({ count, lossSum, metrics }: ShardReport): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([count, lossSum, sorted]);
}
