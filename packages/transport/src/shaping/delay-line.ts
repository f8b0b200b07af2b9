import type { Clock } from '@tutti/runtime';
import { EARLY_MS } from '../tunables.js';

/** Does one thing after the other, each when it is due. */
export interface DelayLine {
  /** Nothing is due before what was handed in earlier. A task that is due now runs before this returns. */
  at(dueMs: number, task: () => void): void;
  /** Whether a task would run before `at` returns. */
  isNow(dueMs: number): boolean;
}

export function createDelayLine(clock: Clock): DelayLine {
  let waiting: { readonly dueMs: number; readonly task: () => void }[] = [];
  let head = 0;

  const reached = (dueMs: number) => dueMs <= clock.now() + EARLY_MS;
  const isNow = (dueMs: number) => head === waiting.length && reached(dueMs);

  function wake() {
    const next = waiting[head];
    if (next !== undefined) clock.after(next.dueMs - clock.now(), run);
  }

  function run() {
    for (let next = waiting[head]; next && reached(next.dueMs); next = waiting[head]) {
      head++;
      next.task();
    }
    waiting = waiting.slice(head);
    head = 0;
    wake();
  }

  return {
    isNow,
    at(dueMs, task) {
      if (isNow(dueMs)) return task();
      waiting.push({ dueMs, task });
      if (waiting.length - head === 1) wake();
    },
  };
}
