import { type Clock, createGathering, limitReached } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { STRAYS_AT_ONCE, STRAYS_PERIOD_MS } from '../tunables.js';

/** The warning of something on the port that is no Tutti process, or a broken one. */
export function foreign(message: string): RunEvent {
  return {
    event: 'warning',
    code: 'BAD_FRAME',
    message: `${message.replace(/\.$/, '')}. The run goes on`,
    remedy:
      'Check that only Tutti processes of one version connect to this port; port scans and health checks that only open it do this too.',
  };
}

/** The warning that nobody can connect, since this process has no more of what that takes. */
export function full(error: Error): RunEvent {
  const limit = limitReached(error);
  return {
    event: 'warning',
    code: 'LIMIT',
    message: `Nobody else can connect for now, and whoever tries waits. ${limit?.message ?? error.message}. The run goes on`,
    remedy: limit?.remedy ?? 'See what this machine has no more of.',
  };
}

/**
 * Passes events on, but of warnings about what came in from others only so many in a while: a broken
 * process, or one that is up to something, can send thousands.
 */
export function gatherStrays(
  emit: (event: RunEvent) => void,
  clock: Clock,
): (event: RunEvent) => void {
  const gather = createGathering({
    clock,
    atOnce: STRAYS_AT_ONCE,
    periodMs: STRAYS_PERIOD_MS,
  });
  return (event) => {
    if (event.event !== 'warning') emit(event);
    else gather(event.code, (others) => emit({ ...event, message: `${event.message}${others}` }));
  };
}
