import { createZmqTransport, type Heartbeat } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { childMain } from './child-main.js';
import { loadProgram } from './load-program.js';

export interface WorkerArgument {
  readonly program: string;
  readonly coordinator: string;
  readonly name: string;
  readonly heartbeat: Heartbeat;
}

await childMain<WorkerArgument>(async (argument, signal, _tell, onTerminate) => {
  const { program, hash } = await loadProgram(argument.program);
  const { coordinator, name, heartbeat } = argument;
  const transport = createZmqTransport(heartbeat);
  const init = { program, programHash: hash, coordinator, name, transport, signal };
  const worker = createWorker(init).start();
  // Whoever ends one worker wants the others to go on. The launcher knows force, too.
  onTerminate(() => void worker.leave());
  await worker.result;
});
