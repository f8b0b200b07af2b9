import { createLineLog, EVENTS_FILE, type LineLog } from '@tutti/checkpoint/internal';
import { type Stamped, toTuttiError } from '@tutti/runtime';
import { type RunEvent, type StartedEvent, warningOf } from '@tutti/telemetry';

/** Where there are more steps than these, evenly many are kept: no curve shows more, and the file stays small. */
export const STORED_STEPS = 20_000;

/** Events that are held before it is clear where the run writes. */
const EARLY_EVENTS = 1000;

/** Keeps the events of a run in its folder, for whoever looks at it when it is over. */
export interface EventLog {
  listen(event: Stamped<RunEvent>): void;
  /** Resolves once all is written. */
  close(): Promise<void>;
}

/**
 * Writes `events.jsonl` into the folder that the `started` event names, what came before it included.
 * A run without a folder is not recorded.
 * @param emit is told once, as a warning, that the file cannot be written
 */
export function createEventLog(emit: (event: RunEvent) => void): EventLog {
  let early: Stamped<RunEvent>[] | undefined = [];
  let log: LineLog | undefined;
  let every = 1;

  function append(event: Stamped<RunEvent>) {
    log?.append(event).catch((thrown: unknown) => {
      if (log === undefined) return;
      log = undefined;
      const what = 'The events of the run are not recorded any more';
      const remedy =
        'Make room or choose another --checkpoint-dir, to see the run when it is over.';
      emit(warningOf(toTuttiError(thrown, 'STORAGE', what, remedy)));
    });
  }

  function begin({ folder, steps }: StartedEvent) {
    every = Math.ceil(steps / STORED_STEPS);
    if (folder !== undefined) log ??= createLineLog(folder, EVENTS_FILE);
    for (const event of early ?? []) append(event);
    early = undefined;
  }

  return {
    listen(event) {
      if (event.event === 'started') begin(event);
      if (event.event === 'step' && event.step % every !== 0) return;
      if (early === undefined) append(event);
      else if (early.length < EARLY_EVENTS) early.push(event);
    },
    async close() {
      // Unnamed wait: the caller races it.
      await log?.close();
    },
  };
}
