import type { Clock } from '@tutti/runtime';

/** How much of the past counts: short enough to follow a change, long enough not to flicker. */
const WINDOW_MS = 20_000;

export interface TimeLeft {
  /** `step` steps of `total` are done now. */
  update(step: number, total: number | undefined): void;
  /** Milliseconds to the end at the speed of the last 20 s, or undefined before that is known. */
  estimateMs(): number | undefined;
}

export function createTimeLeft(clock: Clock): TimeLeft {
  let samples: { readonly at: number; readonly step: number }[] = [];
  let remaining: number | undefined;
  return {
    update(step, total) {
      const at = clock.now();
      remaining = total === undefined ? undefined : Math.max(0, total - step);
      const last = samples.at(-1);
      // A few samples a second are enough; thousands of steps a second must not fill the memory.
      if (last !== undefined && at - last.at < 200) return;
      samples = samples.filter((sample) => at - sample.at <= WINDOW_MS);
      samples.push({ at, step });
    },
    estimateMs() {
      const first = samples[0];
      const last = samples.at(-1);
      if (remaining === undefined || first === undefined || last === undefined) return undefined;
      if (last.step <= first.step) return undefined;
      return (remaining * (last.at - first.at)) / (last.step - first.step);
    },
  };
}
