import { checkpointsOf, timedCheckpoints } from '@tutti/run';
import { createMonitor, errorToRecord, systemClock, withCleanUp } from '@tutti/runtime';
import type { LocalSettings } from '../local-settings.js';
import { programMain } from '../processes/child-main.js';
import { joinTimeline, PLAIN_LOOP } from '../processes/timeline.js';
import { loadProgram } from '../program/load-program.js';
import { telling } from '../program/telling.js';
import { trainInSingleProcess } from './single-process.js';

export interface SingleProcessArgument {
  readonly program: string;
  readonly settings: LocalSettings;
}

await programMain<SingleProcessArgument>(async (argument, signal, tell, onTerminate) => {
  const { program: path, settings } = argument;
  const interrupting = new AbortController();
  const interrupt = interrupting.signal;
  onTerminate(() => interrupting.abort());
  const monitor = createMonitor({
    clock: systemClock,
    signal: AbortSignal.any([signal, interrupt]),
    onWaiting: (report) => tell({ type: 'event', event: { event: 'waiting', ...report } }),
  });
  const { program, hash: programHash } = await loadProgram(path, monitor);
  const emit = (event: Parameters<Parameters<typeof trainInSingleProcess>[0]['emit']>[0]) =>
    tell({ type: 'event', event });
  const file = await joinTimeline(settings, emit);
  const timeline = file?.track(PLAIN_LOOP);
  // Unnamed wait: what it awaits names its own waits.
  const {
    values: _,
    unsaved,
    ...trained
  } = await withCleanUp(
    () => file?.close(),
    () =>
      trainInSingleProcess({
        program: telling(program, { emit, onFrozen: (frozen) => tell({ type: 'frozen', frozen }) }),
        programHash,
        settings,
        job: crypto.randomUUID(),
        ...timedCheckpoints(checkpointsOf(settings), timeline),
        clock: systemClock,
        signal,
        interrupt,
        emit,
        timeline,
      }),
  );
  const record = unsaved && { unsaved: errorToRecord(unsaved) };
  tell({ type: 'trained', trained: { ...trained, ...record } });
});
