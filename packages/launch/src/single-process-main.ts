import type { JobSettings } from '@tutti/coordinator';
import { systemClock } from '@tutti/runtime';
import { childMain } from './child-main.js';
import { loadProgram } from './load-program.js';
import { trainInSingleProcess } from './single-process.js';

export interface SingleProcessArgument {
  readonly program: string;
  readonly settings: JobSettings;
}

await childMain<SingleProcessArgument>(async ({ program: path, settings }, signal, tell) => {
  const { program, hash: programHash } = await loadProgram(path);
  const emit = (event: Parameters<Parameters<typeof trainInSingleProcess>[0]['emit']>[0]) =>
    tell({ type: 'event', event });
  const { values: _, ...trained } = await trainInSingleProcess({
    program,
    programHash,
    settings,
    job: crypto.randomUUID(),
    clock: systemClock,
    signal,
    emit,
  });
  tell({ type: 'trained', trained });
});
