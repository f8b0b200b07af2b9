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
  /** A worker that was away and is back has forgotten what it was asked. */
  readonly session: string;
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
export interface Candidate {
  readonly worker: string;
  readonly session: string;
  readonly shards: number;
}

/**
 * The check of one step: everything that is to be applied has been computed by two workers, to the
 * same bits. What is compared is what arrived and is added up, node by node and chunk by chunk; so a
 * bit that flips in the sum of a worker or on the wire shows as well as one in its gradient.
 */
export interface CrossCheck {
  /** What the reducer took: the sum over [lo, hi) of one chunk. */
  contributed(worker: string, node: Shards & { readonly chunk: number }, digest: string): void;
  /** The numbers that count for one shard: the first report. */
  reported(worker: string, report: ShardReport): void;
  /**
   * What is to be computed again, and by whom, before anything has come: what each worker will most
   * likely contribute goes to another. So nobody waits for the slowest before it begins.
   * @param nodes of whom which nodes are expected
   */
  foresee(
    nodes: readonly (Shards & { readonly worker: string })[],
    candidates: readonly Candidate[],
  ): readonly Order[];
  /**
   * The same once all is there, for what has not been foreseen. Again after every answer, and when
   * workers have come or gone: those that were asked and are gone are replaced.
   */
  orders(candidates: readonly Candidate[]): readonly Order[];
  /** Who has not answered yet. */
  pending(): readonly Order[];
  /** An answer to an order; one that nobody waits for is ignored. */
  answered(worker: string, order: number, what: Recomputed): void;
  /** Set once something differs and it is known whose fault it is, or that nobody can tell. */
  dispute(): Dispute | undefined;
  /** All is there, and right. */
  settled(): boolean;
}

/** One thing that can be right or wrong, what its contributor said of it, and what an answer says. */
interface Piece extends Shards {
  readonly claim: Claim;
  readonly inAnswer: (what: Recomputed) => string | undefined;
}

interface Answer extends Shards {
  readonly worker: string;
  readonly what: Recomputed;
}

export function createCrossCheck(newOrder: () => number): CrossCheck {
  /** By chunk, the nodes that its sum is made of. */
  const sums = new Map<number, Map<string, Piece>>();
  const numbers = new Map<number, Piece>();
  const answers: Answer[] = [];
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

  const claimsOf = ({ claim, inAnswer }: Piece, to: readonly Answer[]): Claim[] => [
    claim,
    ...to.map(({ worker, what }) => ({ worker, digest: inAnswer(what) ?? 'none' })),
  ];

  /** Gives nodes to those of `asked` who are done with them first. */
  function give(
    wanted: readonly (Shards & { readonly asked: readonly (readonly string[])[] })[],
    candidates: readonly Candidate[],
  ): Order[] {
    const load = new Map<string, number>();
    const add = ({ worker, lo, hi }: Order) => load.set(worker, (load.get(worker) ?? 0) + hi - lo);
    for (const order of pending.values()) add(order);
    return wanted.flatMap(({ lo, hi, asked }) => {
      const chosen = leastLoaded(candidates, load, hi - lo, asked);
      if (chosen === undefined) return [];
      const { worker, session } = chosen;
      const order = { order: newOrder(), worker, session, lo, hi };
      pending.set(order.order, order);
      add(order);
      return [order];
    });
  }

  return {
    contributed(worker, { lo, hi, chunk }, digest) {
      const ofChunk = sums.get(chunk) ?? new Map<string, Piece>();
      sums.set(chunk, ofChunk);
      // The reducer has dropped what the new node covers.
      for (const [key, old] of ofChunk) if (old.lo >= lo && old.hi <= hi) ofChunk.delete(key);
      const inAnswer = ({ digests }: Recomputed) => digests[chunk];
      ofChunk.set(keyOf({ lo, hi }), { lo, hi, claim: { worker, digest }, inAnswer });
    },
    reported(worker, report) {
      const { shard } = report;
      if (numbers.has(shard)) return;
      numbers.set(shard, {
        lo: shard,
        hi: shard + 1,
        claim: { worker, digest: numbersOf(report) },
        inAnswer({ reports }) {
          const found = reports.find((each) => each.shard === shard);
          return found && numbersOf(found);
        },
      });
    },
    foresee(nodes, candidates) {
      const others = (owner: string) =>
        candidates.flatMap(({ worker }) => (worker === owner ? [] : [worker]));
      const wanted = nodes.map(({ lo, hi, worker }) => ({ lo, hi, asked: [others(worker)] }));
      return give(wanted, candidates);
    },
    orders(candidates) {
      if (dispute !== undefined) return [];
      const here = candidates.map(({ worker }) => worker);
      for (const [id, { session }] of pending)
        if (!candidates.some((each) => each.session === session)) pending.delete(id);
      const wanted = [];
      let open = false;
      for (const { lo, hi, pieces } of nodes().values()) {
        const same = (each: Shards) => each.lo === lo && each.hi === hi;
        if ([...pending.values()].some(same)) {
          open = true;
          continue;
        }
        const said = pieces.map((piece) => claimsOf(piece, answers.filter(same)));
        const verdicts = said.map((claims) => judge(claims, here));
        const faulty = new Set(
          verdicts.flatMap((each) => (each.kind === 'faulty' ? each.workers : [])),
        );
        if (faulty.size > 0 || verdicts.some(({ kind }) => kind === 'undecidable')) {
          const claimants = new Set(said.flat().map(({ worker }) => worker));
          dispute = { lo, hi, faulty: [...faulty], claimants: [...claimants] };
          return [];
        }
        const asked = verdicts.flatMap((each) => (each.kind === 'ask' ? [each.whom] : []));
        if (asked.length > 0) wanted.push({ lo, hi, asked });
      }
      settled = !open && wanted.length === 0;
      return give(wanted, candidates);
    },
    pending: () => [...pending.values()],
    answered(worker, order, what) {
      const asked = pending.get(order);
      if (asked?.worker !== worker) return;
      pending.delete(order);
      answers.push({ worker, lo: asked.lo, hi: asked.hi, what });
    },
    dispute: () => dispute,
    settled: () => settled,
  };
}

/** The one that is done first, among those whom most pieces ask. */
function leastLoaded(
  candidates: readonly Candidate[],
  load: ReadonlyMap<string, number>,
  size: number,
  asked: readonly (readonly string[])[],
): Candidate | undefined {
  const wanted = (worker: string) => asked.filter((whom) => whom.includes(worker)).length;
  const doneAt = ({ worker, shards }: Candidate) =>
    ((load.get(worker) ?? 0) + size) / Math.max(1, shards);
  const most = Math.max(0, ...candidates.map(({ worker }) => wanted(worker)));
  return candidates
    .filter(({ worker }) => most > 0 && wanted(worker) === most)
    .reduce<Candidate | undefined>(
      (best, each) => (best === undefined || doneAt(each) < doneAt(best) ? each : best),
      undefined,
    );
}

/** What of a report must be the same whoever computes it. */
function numbersOf({ count, lossSum, metrics }: ShardReport): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([count, lossSum, sorted]);
}
