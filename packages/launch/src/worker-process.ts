import { createWorker } from '@tutti/worker';
import { childMain } from './child-main.js';
import { loadProgram } from './load-program.js';

export interface WorkerArgument {
  readonly program: string;
  readonly coordinator: string;
  readonly name: string;
}

await childMain<WorkerArgument>(async (argument, signal) => {
  const { program, hash } = await loadProgram(argument.program);
  const { coordinator, name } = argument;
  await createWorker({ program, programHash: hash, coordinator, name, signal }).start().result;
});
