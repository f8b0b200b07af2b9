import type { Clock, Monitor } from '@tutti/runtime';

/** Runs a task that waits with a monitor, for something else once `ms` are over: then its condition is looked at again. */
export async function withPatience(
  ms: number,
  { clock, monitor }: { readonly clock: Clock; readonly monitor: Monitor },
  task: (isOver: () => boolean) => Promise<void>,
): Promise<void> {
  let over = ms <= 0;
  const patience = clock.after(Math.max(0, ms), () => {
    over = true;
    monitor.notify();
  });
  try {
    // Unnamed wait: the task names it.
    await task(() => over);
  } finally {
    patience.cancel();
  }
}
