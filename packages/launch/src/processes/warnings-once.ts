import type { RunEvent } from '@tutti/telemetry';

/** All workers read the same data, and each says what is to be said of it: the first one is enough. */
export function warningsOnce(emit: (event: RunEvent) => void): (event: RunEvent) => void {
  const said = new Set<string>();
  return (event) => {
    if (event.event === 'warning') {
      if (said.has(event.message)) return;
      said.add(event.message);
    }
    emit(event);
  };
}
