import { createHeap, type Heap } from '@tutti/runtime';

/** A run of shards whose gradients one worker computed and added up. */
export interface Shards {
  readonly lo: number;
  readonly hi: number;
}

/** A worker that can be asked, and how many shards it computes in a step. */
export interface Candidate {
  readonly worker: string;
  readonly session: string;
  readonly shards: number;
}

/** Shards that are to be computed again. */
export interface Wanted extends Shards {
  /** For each thing that is to be compared, whether this worker may say what it is. */
  readonly asked: readonly ((worker: string) => boolean)[];
}

/** How much each worker has been asked to compute again. */
export interface Loads {
  /** One that is no candidate is passed over. */
  add(worker: string, shards: number): void;
  /** The one that is done first, among those who may say most; undefined if nobody may say anything. */
  leastLoaded(wanted: Wanted): Candidate | undefined;
}

/** A candidate, and when it would be done with one more: no later than that if it was loaded since. */
interface Entry {
  readonly candidate: Candidate;
  readonly at: number;
  readonly doneAt: number;
}

export function createLoads(candidates: readonly Candidate[]): Loads {
  const loads = new Map(candidates.map(({ worker }) => [worker, 0]));
  /** By how many shards are wanted: most ask for equally many, and few of the workers are looked at then. */
  const queues = new Map<number, Heap<Entry>>();

  const doneAt = ({ worker, shards }: Candidate, size: number) =>
    (loads.get(worker)! + size) / Math.max(1, shards);

  function queueFor(size: number): Heap<Entry> {
    const known = queues.get(size);
    if (known !== undefined) return known;
    const queue = createHeap<Entry>(
      (a, b) => a.doneAt < b.doneAt || (a.doneAt === b.doneAt && a.at < b.at),
    );
    for (const [at, candidate] of candidates.entries())
      queue.put({ candidate, at, doneAt: doneAt(candidate, size) });
    queues.set(size, queue);
    return queue;
  }

  return {
    add(worker, shards) {
      const load = loads.get(worker);
      if (load !== undefined) loads.set(worker, load + shards);
    },
    leastLoaded({ lo, hi, asked }) {
      const queue = queueFor(hi - lo);
      const passed: Entry[] = [];
      let best: Candidate | undefined;
      let most = 0;
      while (most < asked.length) {
        const entry = queue.take();
        if (entry === undefined) break;
        const { candidate, at } = entry;
        const now = doneAt(candidate, hi - lo);
        if (now > entry.doneAt) {
          queue.put({ candidate, at, doneAt: now });
          continue;
        }
        passed.push(entry);
        const things = asked.filter((asks) => asks(candidate.worker)).length;
        if (things > most) [best, most] = [candidate, things];
      }
      passed.forEach(queue.put);
      return best;
    },
  };
}
