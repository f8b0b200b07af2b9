import { FIRST_PATIENCE, LONGEST_LOOK_MS, SILENCE_PATIENCE } from '../tunables.js';
import type { WorkerTimings, WorkKind } from '../workers/timings.js';

/**
 * For how long everybody who was given something to do has been silent, and who must be taken for
 * hung: who was not heard for `progressMs` and for ten times as long as its work usually takes. While
 * nobody has managed such work even once, and for a worker that meets a size for the first time, four
 * times `progressMs`: the first time often takes longer, and perhaps for all.
 */
export interface Silence {
  /**
   * Looks at who owes something now; call it at least every `LONGEST_LOOK_MS`. Those whose patience
   * is over are told with how long they were silent. Silence that has begun ends with a sign of life
   * only, not when there is nothing left to owe: others may have done it, and whoever only waits says
   * so.
   */
  look(present: ReadonlySet<string>, owing: readonly Owing[], work: WorkKind, now: number): Hung[];
  /** A sign of life, or of work. */
  heard(worker: string): void;
  /** Nobody could do anything for a while: everybody's silence counts from now. */
  excuseAll(): void;
}

export interface Owing {
  readonly worker: string;
  /** The sizes, in examples, that it meets for the first time. */
  readonly first: readonly number[];
}

export interface Hung extends Owing {
  readonly silentMs: number;
}

/**
 * For how long somebody may be silent.
 * @param leastMs what is waited in any case
 * @param usualMs what its work usually takes
 */
export function patienceMs(leastMs: number, usualMs: number): number {
  return Math.max(leastMs, SILENCE_PATIENCE * usualMs);
}

export function createSilence({
  progressMs,
  timings,
}: {
  readonly progressMs: number;
  readonly timings: WorkerTimings;
}): Silence {
  /** How much silence was listened to of each that has owed something since it was last heard. */
  const silent = new Map<string, Hung>();
  let last: number | undefined;

  function limitMs({ worker, first }: Owing, work: WorkKind): number {
    const usual = timings.usualMs(worker, work);
    const isFirst = usual === undefined || first.length > 0;
    return patienceMs(isFirst ? FIRST_PATIENCE * progressMs : progressMs, usual ?? 0);
  }

  return {
    look(present, owing, work, now) {
      const passed = Math.min(Math.max(0, now - (last ?? now)), LONGEST_LOOK_MS);
      last = now;
      const hung: Hung[] = [];
      for (const [worker, before] of silent) {
        if (!present.has(worker)) {
          silent.delete(worker);
          continue;
        }
        const one = { ...before, silentMs: before.silentMs + passed };
        silent.set(worker, one);
        if (one.silentMs >= progressMs && one.silentMs >= limitMs(one, work)) hung.push(one);
      }
      for (const { worker, first } of owing) {
        // Others may do meanwhile what it meets for the first time: it is still at it.
        const known = silent.get(worker) ?? { worker, first: [], silentMs: 0 };
        silent.set(worker, { ...known, first: [...new Set([...known.first, ...first])] });
      }
      return hung;
    },
    heard: (worker) => void silent.delete(worker),
    excuseAll: () => silent.clear(),
  };
}
