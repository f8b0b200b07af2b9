import type { Monitor } from '@tutti/runtime';

/** While a job lasts its parts handle what comes in; after that nobody does. */
export interface Lifetime {
  /** Runs a handler: what it throws ends the run, what it changes wakes the loop. */
  guard(handle: () => void): void;
  ended(): boolean;
  end(): void;
}

export function createLifetime(monitor: Pick<Monitor, 'notify' | 'fail'>): Lifetime {
  let ended = false;
  return {
    guard(handle) {
      if (ended) return;
      try {
        handle();
        monitor.notify();
      } catch (error) {
        monitor.fail(error);
      }
    },
    ended: () => ended,
    end() {
      ended = true;
    },
  };
}
