import type { WorkerTimings, WorkKind } from '../workers/timings.js';

/**
 * For how long everybody who was given something to do has been silent, and who must be taken for
 * hung: who was not heard for `progressMs` and for ten times as long as its work usually takes. While
 * nobody has managed such work even once, four times `progressMs`: the first time often takes longer,
 * and perhaps for all.
 */
export interface Silence {
  /**
   * Looks at who owes something now; call it at least every `LONGEST_LOOK_MS`. Those whose patience
   * is over are told with how long they were silent. Silence that has begun ends with a sign of life
   * only, not when there is nothing left to owe: others may have done it, and whoever only waits says
   * so.
   */
  look(present: ReadonlySet<string>, owing: readonly string[], work: WorkKind, now: number): Hung[];
  /** A sign of life, or of work. */
  heard(worker: string): void;
  /** Nobody could do anything for a while: everybody's silence counts from now. */
  excuseAll(): void;
}

export interface Hung {
  readonly worker: string;
  readonly silentMs: number;
}

/**
 * More than this between two looks does not count: the clock leapt, or this process was itself held
 * up, and what the workers said is still unread.
 */
export const LONGEST_LOOK_MS = 2000;

const PATIENCE = 10;
const FIRST_PATIENCE = 4;

export function createSilence({
  progressMs,
  timings,
}: {
  readonly progressMs: number;
  readonly timings: WorkerTimings;
}): Silence {
  /** How much silence was listened to of each that has owed something since it was last heard. */
  const silent = new Map<string, number>();
  let last: number | undefined;

  function limitMs(worker: string, work: WorkKind): number {
    const usual = timings.usualMs(worker, work);
    if (usual === undefined) return FIRST_PATIENCE * progressMs;
    return Math.max(progressMs, PATIENCE * usual);
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
        const silentMs = before + passed;
        silent.set(worker, silentMs);
        if (silentMs >= progressMs && silentMs >= limitMs(worker, work))
          hung.push({ worker, silentMs });
      }
      for (const worker of owing) if (!silent.has(worker)) silent.set(worker, 0);
      return hung;
    },
    heard: (worker) => void silent.delete(worker),
    excuseAll: () => silent.clear(),
  };
}
