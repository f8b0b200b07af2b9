import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';
import { ownProcesses } from '../processes/own-processes.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const WARM_UP = 40;

/**
 * What faults cost the MNIST ConvNet with two workers: examples a second of wall time without
 * faults, then in the same run with a SIGKILL of the oldest worker every `everySeconds`, which the
 * launcher replaces; each over `seconds`. `speedLost` is the part of the speed that went.
 */
export async function benchUnderFaults(
  seconds: number,
  everySeconds: number,
): Promise<Record<string, number>> {
  const stopping = new AbortController();
  const run = runLocal(CONVNET, {
    workers: 2,
    shards: 2,
    minWorkers: 1,
    maxRestarts: 1000,
    epochs: 1000,
    signal: stopping.signal,
  });
  run.result.catch(() => {});
  let started = 0;
  let examplesThen = 0;
  let kills = 0;
  let examples = 0;
  const speeds: number[] = [];
  try {
    for await (const event of run) {
      if (event.event !== 'step') continue;
      ({ examples } = event);
      const now = performance.now();
      const begin = () => ([started, examplesThen] = [now, examples]);
      if (event.step === WARM_UP) begin();
      if (event.step <= WARM_UP) continue;
      const elapsed = (now - started) / 1000;
      if (elapsed >= seconds) {
        speeds.push((examples - examplesThen) / elapsed);
        if (speeds.length === 2) stopping.abort();
        begin();
      } else if (speeds.length === 1 && elapsed >= kills * everySeconds) {
        kills++;
        process.kill(ownProcesses('worker-process')[0]!, 'SIGKILL');
      }
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  await run.result.catch(() => {});
  const [undisturbed, disturbed] = speeds as [number, number];
  return { undisturbed, disturbed, kills, speedLost: 1 - disturbed / undisturbed };
}
