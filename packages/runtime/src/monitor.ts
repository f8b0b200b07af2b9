import type { Clock, Timer } from './clock.js';
import { TuttiError } from './errors.js';

/** One wait, in words: "Waiting for <who> to <what>". */
export interface Wait {
  readonly who: string;
  readonly what: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** After this the wait ends with DEADLINE. Absent: no deadline, only the report of silence. */
  readonly deadlineMs?: number;
}

export interface WaitReport extends Wait {
  readonly sinceMs: number;
}

/**
 * The state that a role waits on. Handlers change the state and call `notify`; the role's loop
 * awaits conditions on it. Silence has a name: a wait that lasts is reported every `reportEveryMs`.
 */
export interface Monitor {
  /** The state has changed: conditions are looked at anew. */
  notify(): void;
  /** Every wait, now and later, ends with this error. The first error stays. */
  fail(error: unknown): void;
  /** Resolves as soon as the condition holds. */
  until(condition: () => boolean, wait: Wait | (() => Wait)): Promise<void>;
  /** What somebody else's promise gives, unless the monitor fails before. */
  race<T>(promise: Promise<T>): Promise<T>;
}

export function createMonitor(init: {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly reportEveryMs?: number;
  readonly onWaiting?: (report: WaitReport) => void;
}): Monitor {
  const { clock, signal, reportEveryMs = 10_000, onWaiting } = init;
  const waiters = new Set<() => void>();
  let failure: { error: unknown } | undefined;

  const monitor: Monitor = {
    notify() {
      for (const look of [...waiters]) look();
    },
    fail(error) {
      failure ??= { error };
      monitor.notify();
    },
    async until(condition, wait) {
      if (failure !== undefined) throw failure.error;
      if (condition()) return;
      const describe = () => (typeof wait === 'function' ? wait() : wait);
      const started = clock.now();
      const { deadlineMs = Number.POSITIVE_INFINITY } = describe();
      let timer: Timer | undefined;
      let look = () => {};
      try {
        await new Promise<void>((resolve, reject) => {
          look = () => {
            if (failure !== undefined) reject(failure.error);
            else if (condition()) resolve();
          };
          waiters.add(look);
          const arm = (reports: number) => {
            const due = Math.min(deadlineMs, (reports + 1) * reportEveryMs);
            timer = clock.after(started + due - clock.now(), () => {
              const sinceMs = clock.now() - started;
              // `sinceMs` may be short of the deadline by a rounding: then a new timer is due at once, for ever.
              if (due >= deadlineMs || sinceMs >= deadlineMs)
                return reject(deadlineError(describe(), sinceMs));
              onWaiting?.({ ...describe(), sinceMs });
              arm(reports + 1);
            });
          };
          arm(0);
        });
      } finally {
        waiters.delete(look);
        timer?.cancel();
      }
    },
    async race(promise) {
      let look = () => {};
      const failed = new Promise<never>((_, reject) => {
        look = () => failure !== undefined && reject(failure.error);
        waiters.add(look);
        look();
      });
      try {
        return await Promise.race([promise, failed]);
      } finally {
        waiters.delete(look);
      }
    },
  };
  signal?.addEventListener('abort', () => monitor.fail(abortError(signal)), { once: true });
  if (signal?.aborted) monitor.fail(abortError(signal));
  return monitor;
}

/** The error of a wait that has passed its deadline. */
export function deadlineError({ who, what, remedy }: Wait, sinceMs: number): TuttiError {
  const seconds = (sinceMs / 1000).toFixed(1);
  return new TuttiError('DEADLINE', `Waited ${seconds} s for ${who} to ${what}`, {
    remedy,
    details: { who, what, sinceMs },
  });
}

/** The error of something stopped by its AbortSignal. */
export function abortError(signal: AbortSignal): TuttiError {
  if (signal.reason instanceof TuttiError) return signal.reason;
  return new TuttiError('ABORTED', 'Stopped on request', {
    remedy: 'Start it again when you want it to go on.',
    cause: signal.reason,
  });
}
