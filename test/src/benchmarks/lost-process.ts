import { fileURLToPath } from 'node:url';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { ownProcesses } from '../processes/own-processes.js';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const [WARM_UP, WATCHED] = [40, 30];

/**
 * How long the MNIST ConvNet with two workers stands still after a SIGKILL of a worker, and of a
 * server with one standby: the longest time between two steps around it, in ms. Medians and the worst
 * of `rounds` runs each, killed at another part of a step each time; `stepMs` is an undisturbed step.
 */
export async function benchLostProcess(rounds: number): Promise<Record<string, number>> {
  const [worker, server]: [Standstill[], Standstill[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const part = round / rounds;
    worker.push(await standstill('worker-process', { minWorkers: 1 }, part));
    server.push(await standstill('server-process', { replicas: 1 }, part));
  }
  const ms = (found: readonly Standstill[]) => found.map(({ longestMs }) => longestMs);
  return {
    stepMs: median([...worker, ...server].map(({ stepMs }) => stepMs)),
    workerMs: median(ms(worker)),
    workerWorstMs: Math.max(...ms(worker)),
    serverMs: median(ms(server)),
    serverWorstMs: Math.max(...ms(server)),
  };
}

interface Standstill {
  readonly stepMs: number;
  readonly longestMs: number;
}

/** @param part of a step, after which the oldest process of this kind is killed */
async function standstill(kind: string, options: LocalOptions, part: number): Promise<Standstill> {
  const stopping = new AbortController();
  const run = runLocal(CONVNET, {
    workers: 2,
    shards: 2,
    epochs: 1000,
    signal: stopping.signal,
    ...options,
  });
  run.result.catch(() => {});
  const before: number[] = [];
  const after: number[] = [];
  let last = 0;
  try {
    for await (const event of run) {
      if (event.event !== 'step') continue;
      const now = performance.now();
      if (event.step <= WARM_UP) before.push(now - last);
      else after.push(now - last);
      last = now;
      if (event.step === WARM_UP) {
        const [victim] = ownProcesses(kind);
        setTimeout(() => process.kill(victim!, 'SIGKILL'), part * median(before));
      }
      if (after.length === WATCHED) stopping.abort();
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  await run.result.catch(() => {});
  return { stepMs: median(before), longestMs: Math.max(...after) };
}
