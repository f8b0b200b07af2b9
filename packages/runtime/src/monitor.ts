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
  /** The last sign of life, by the clock: silence counts from then. Absent: from the wait's start. */
  readonly heardAt?: number;
}

export interface WaitReport extends Omit<Wait, 'heardAt'> {
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
  /** What somebody else's promise gives, unless the monitor fails or its deadline passes before. */
  race<T>(promise: T | Promise<T>, wait: Wait | (() => Wait)): Promise<T>;
  /** What is waited for now, the longest wait first. */
  waits(): readonly WaitReport[];
}

export function createMonitor(init: {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly reportEveryMs?: number;
  readonly onWaiting?: (report: WaitReport) => void;
}): Monitor {
  const { clock, signal, reportEveryMs = 10_000, onWaiting } = init;
  const waiters = new Set<{ readonly look: () => void; readonly report: () => WaitReport }>();
  let failure: { error: unknown } | undefined;

  /** Waits until the condition holds; `arranged` is given what looks at it anew. */
  async function hold(
    condition: () => boolean,
    wait: Wait | (() => Wait),
    arranged?: (look: () => void) => void,
  ): Promise<void> {
    if (failure !== undefined) throw failure.error;
    if (condition()) return;
    const describe = () => (typeof wait === 'function' ? wait() : wait);
    const started = clock.now();
    const report = (): WaitReport => {
      const { heardAt, ...said } = describe();
      return { sinceMs: clock.now() - Math.max(started, heardAt ?? started), ...said };
    };
    const end = started + (describe().deadlineMs ?? Number.POSITIVE_INFINITY);
    let timer: Timer | undefined;
    let waiter: { look: () => void; report: () => WaitReport } | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const look = () => {
          if (failure !== undefined) reject(failure.error);
          else if (condition()) resolve();
        };
        waiter = { look, report };
        waiters.add(waiter);
        arranged?.(look);
        const arm = (reportAt: number) => {
          const due = Math.min(end, reportAt);
          timer = clock.after(due - clock.now(), () => {
            const said = describe();
            // `now` may be short of the deadline by a rounding: then a new timer is due at once, for ever.
            if (due >= end || clock.now() >= end)
              return reject(deadlineError(said, clock.now() - started));
            const silentAt = (said.heardAt ?? started) + reportEveryMs;
            if (silentAt > due) return arm(silentAt);
            onWaiting?.(report());
            arm(due + reportEveryMs);
          });
        };
        arm(started + reportEveryMs);
      });
    } finally {
      if (waiter !== undefined) waiters.delete(waiter);
      timer?.cancel();
    }
  }

  const monitor: Monitor = {
    notify() {
      for (const { look } of [...waiters]) look();
    },
    fail(error) {
      failure ??= { error };
      monitor.notify();
    },
    until: (condition, wait) => hold(condition, wait),
    async race(given, wait) {
      const promise = Promise.resolve(given);
      let settled = false;
      let look = () => {};
      const settle = () => {
        settled = true;
        look();
      };
      promise.then(settle, settle);
      await hold(
        () => settled,
        wait,
        (given) => {
          look = given;
        },
      );
      return promise;
    },
    waits() {
      const reports = [...waiters].map(({ report }) => report());
      return reports.sort((a, b) => b.sinceMs - a.sinceMs);
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
