import { createMonitor, type Monitor, type WaitReport } from '@tutti/runtime';
import type { Renderer } from '@tutti/telemetry';
import type { CliContext } from './context.js';

/** What a command waits on: one monitor until it is stopped, one for giving back what it holds. */
export function monitorsOf(
  { clock, signal }: CliContext,
  renderer: Renderer,
): { readonly monitor: Monitor; readonly closing: Monitor } {
  const onWaiting = (report: WaitReport) => renderer({ event: 'waiting', ...report });
  return {
    monitor: createMonitor({ clock, signal, onWaiting }),
    closing: createMonitor({ clock, onWaiting }),
  };
}
