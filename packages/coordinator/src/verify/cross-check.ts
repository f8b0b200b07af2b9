import type { ShardReport } from '@tutti/protocol';
import { type Candidate, createLoads, type Shards, type Wanted } from './loads.js';
import { type Claim, judge } from './verdict.js';

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

interface Answer {
  readonly worker: string;
  readonly what: Recomputed;
}

/** A run of shards, and everything that computing it again says something of. */
interface Contributed extends Shards {
  readonly pieces: readonly Piece[];
}

export function createCrossCheck(newOrder: () => number): CrossCheck {
  /** By chunk, the nodes that its sum is made of, by their first shard. */
  const sums = new Map<number, Map<number, Piece>>();
  const numbers = new Map<number, Piece>();
  const answers = new Map<string, Answer[]>();
  const pending = new Map<number, Order>();
  /** How many pending orders there are for the same shards. */
  const asked = new Map<string, number>();
  let dispute: Dispute | undefined;
  let settled = false;

  /** What was contributed, until more is; each node is either found right, or one of the following. */
  let nodes: ReadonlyMap<string, Contributed> | undefined;
  /** Nodes that something follows for from what is known of them. */
  const due = new Set<string>();
  /** Nodes that somebody computes again. */
  const open = new Set<string>();
  /** Who could be asked when that was found. */
  let crew: readonly Candidate[] = [];

  const keyOf = ({ lo, hi }: Shards) => `${lo}-${hi}`;

  function findNodes(): ReadonlyMap<string, Contributed> {
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

  function withdraw(order: Order) {
    const key = keyOf(order);
    pending.delete(order.order);
    const left = asked.get(key)! - 1;
    if (left > 0) asked.set(key, left);
    else asked.delete(key);
    if (left === 0 && open.delete(key)) due.add(key);
  }

  /** Looks at everything anew if there is more, or others can be asked; else only at what was answered. */
  function refresh(candidates: readonly Candidate[]) {
    if (nodes !== undefined && candidates === crew) return;
    if (candidates !== crew) {
      const sessions = new Set(candidates.map(({ session }) => session));
      for (const order of pending.values()) if (!sessions.has(order.session)) withdraw(order);
    }
    crew = candidates;
    nodes ??= findNodes();
    open.clear();
    due.clear();
    for (const key of nodes.keys()) due.add(key);
  }

  /** Gives nodes to those of `asked` who are done with them first. */
  function give(wanted: readonly Wanted[], candidates: readonly Candidate[]): Order[] {
    if (wanted.length === 0) return [];
    const loads = createLoads(candidates);
    for (const { worker, lo, hi } of pending.values()) loads.add(worker, hi - lo);
    return wanted.flatMap((node) => {
      const { lo, hi } = node;
      const chosen = loads.leastLoaded(node);
      if (chosen === undefined) return [];
      const { worker, session } = chosen;
      const order = { order: newOrder(), worker, session, lo, hi };
      pending.set(order.order, order);
      asked.set(keyOf(order), (asked.get(keyOf(order)) ?? 0) + 1);
      loads.add(worker, hi - lo);
      return [order];
    });
  }

  return {
    contributed(worker, { lo, hi, chunk }, digest) {
      const ofChunk = sums.get(chunk) ?? new Map<number, Piece>();
      sums.set(chunk, ofChunk);
      // The reducer has dropped what the new node covers.
      for (let shard = lo; shard < hi; shard++) ofChunk.delete(shard);
      const inAnswer = ({ digests }: Recomputed) => digests[chunk];
      ofChunk.set(lo, { lo, hi, claim: { worker, digest }, inAnswer });
      nodes = undefined;
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
      nodes = undefined;
    },
    foresee(nodes, candidates) {
      const wanted = nodes.map(({ lo, hi, worker: owner }) => {
        return { lo, hi, asked: [(worker: string) => worker !== owner] };
      });
      return give(wanted, candidates);
    },
    orders(candidates) {
      if (dispute !== undefined) return [];
      refresh(candidates);
      const here = candidates.map(({ worker }) => worker);
      const wanted: Wanted[] = [];
      for (const key of due) {
        if (asked.has(key)) {
          due.delete(key);
          open.add(key);
          continue;
        }
        const { lo, hi, pieces } = nodes!.get(key)!;
        const said = pieces.map((piece) => claimsOf(piece, answers.get(key) ?? []));
        const verdicts = said.map((claims) => judge(claims, here));
        const faulty = new Set(
          verdicts.flatMap((each) => (each.kind === 'faulty' ? each.workers : [])),
        );
        if (faulty.size > 0 || verdicts.some(({ kind }) => kind === 'undecidable')) {
          const claimants = new Set(said.flat().map(({ worker }) => worker));
          dispute = { lo, hi, faulty: [...faulty], claimants: [...claimants] };
          return [];
        }
        const whom = verdicts.flatMap((each) => (each.kind === 'ask' ? [new Set(each.whom)] : []));
        if (whom.length === 0) due.delete(key);
        else wanted.push({ lo, hi, asked: whom.map((each) => (worker) => each.has(worker)) });
      }
      settled = due.size === 0 && open.size === 0;
      return give(wanted, candidates);
    },
    pending: () => [...pending.values()],
    answered(worker, order, what) {
      const to = pending.get(order);
      if (to?.worker !== worker) return;
      const key = keyOf(to);
      const known = answers.get(key) ?? [];
      known.push({ worker, what });
      answers.set(key, known);
      withdraw(to);
    },
    dispute: () => dispute,
    settled: () => settled,
  };
}

/** What of a report must be the same whoever computes it. */
function numbersOf({ count, lossSum, metrics }: ShardReport): string {
  const sorted = Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([count, lossSum, sorted]);
}
