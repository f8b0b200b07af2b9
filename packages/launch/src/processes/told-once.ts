import type { RunEvent } from '@tutti/telemetry';

/** All workers have the same program and data, and each says what is to be said of them: the first is enough. */
export function toldOnce(emit: (event: RunEvent) => void): (event: RunEvent) => void {
  const said = new Set<string>();
  return (event) => {
    if (event.event === 'warning' || event.event === 'weights') {
      const what = event.event === 'warning' ? event.message : event.event;
      if (said.has(what)) return;
      said.add(what);
    }
    emit(event);
  };
}
