import { createHeap } from './heap.js';

/**
 * Time, as an argument. Roles never touch `Date.now` or `setTimeout`, so that a whole cluster can
 * run on a simulated clock.
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes backwards. */
  now(): number;
  /** Milliseconds since 1970, to tell people; goes backwards when the machine's clock is set. */
  wallTime(): number;
  /** Calls `task` once, not earlier than `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer;
  /**
   * What has waited for the end of this turn of the event loop, such as messages that are sent together, is
   * done: whoever holds up the thread for long awaits it before.
   */
  turn(): Promise<void>;
}

export interface Timer {
  cancel(): void;
}

/** Node calls at once what is further away. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, task) {
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      handle =
        leftMs > LONGEST_MS
          ? setTimeout(arm, LONGEST_MS, leftMs - LONGEST_MS)
          : setTimeout(task, leftMs);
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
};

export interface SimulatedClock extends Clock {
  /** When the next timer is due, or undefined if none is set. */
  nextDue(): number | undefined;
  /** Moves time to the next timer and runs it. Returns false if there was none. */
  step(): boolean;
  /** Runs every timer due within the next `durationMs`, then leaves the time there. */
  advance(durationMs: number): void;
}

/**
 * A clock that moves only when told. Timers that are due at the same time run in the order in
 * which they were set.
 */
export function createSimulatedClock(startMs = 0): SimulatedClock {
  interface Entry {
    readonly due: number;
    readonly order: number;
    /** Absent once it was cancelled. */
    task: (() => void) | undefined;
  }
  let now = startMs;
  let order = 0;
  const entries = createHeap<Entry>(
    (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order),
  );

  function dropCancelled() {
    while (entries.size > 0 && entries.first()!.task === undefined) entries.take();
  }

  const clock: SimulatedClock = {
    now: () => now,
    wallTime: () => now,
    after(delayMs, task) {
      const entry: Entry = { due: now + Math.max(0, delayMs), order: order++, task };
      entries.put(entry);
      return {
        cancel() {
          entry.task = undefined;
        },
      };
    },
    // Nothing waits there: whatever happens on a simulated clock is an event of its own.
    turn: () => Promise.resolve(),
    nextDue() {
      dropCancelled();
      return entries.first()?.due;
    },
    step() {
      dropCancelled();
      const entry = entries.take();
      if (entry === undefined) return false;
      now = Math.max(now, entry.due);
      entry.task?.();
      return true;
    },
    advance(durationMs) {
      const until = now + durationMs;
      for (let due = clock.nextDue(); due !== undefined && due <= until; due = clock.nextDue()) {
        clock.step();
      }
      now = until;
    },
  };
  return clock;
}
