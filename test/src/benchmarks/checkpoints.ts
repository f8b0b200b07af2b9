import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const WARM_UP = 60;

/**
 * What a checkpoint a second costs the MNIST ConvNet with two workers, within one run: there is one
 * every two seconds (in steps), so the first half of the steps from one to the next has the cost of
 * one a second, and the second half has none. Means over all halves; `overhead` is their ratio minus
 * one, `medianOverhead` the median of that over the pairs.
 */
export async function benchCheckpoints(pairs: number): Promise<Record<string, number>> {
  const times = await stepTimes({ steps: 3 * WARM_UP });
  const perSecond = Math.max(2, Math.round(1000 / median(times.slice(WARM_UP))));
  const every = 2 * perSecond;
  const directory = await mkdtemp(join(tmpdir(), 'tutti-bench-'));
  try {
    const written: number[] = [];
    const options = { checkpointDir: directory, checkpointEvery: { steps: every } };
    // The first checkpoint, with the start of its thread, is not counted.
    const ms = await stepTimes({ steps: (pairs + 2) * every, ...options }, written);
    const halves = written
      .filter((step) => step > every && step + every <= ms.length)
      .map((step) => {
        const half = (from: number) => sum(ms.slice(from, from + perSecond)) / perSecond;
        return { with: half(step), without: half(step + perSecond) };
      });
    const stepMsWith = sum(halves.map((pair) => pair.with)) / halves.length;
    const stepMsWithout = sum(halves.map((pair) => pair.without)) / halves.length;
    return {
      checkpoints: halves.length,
      secondsWith: (perSecond * stepMsWith) / 1000,
      stepMsWith,
      stepMsWithout,
      overhead: stepMsWith / stepMsWithout - 1,
      medianOverhead: median(halves.map((pair) => pair.with / pair.without)) - 1,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** How long each step took; `written` is given the steps of the checkpoints. */
async function stepTimes(options: LocalOptions, written: number[] = []): Promise<number[]> {
  const times: number[] = [];
  const run = runLocal(CONVNET, { workers: 2, shards: 2, epochs: 1000, ...options });
  for await (const event of run) {
    if (event.event === 'step') times[event.step - 1] = event.stepMs;
    if (event.event === 'checkpoint') written.push(event.step);
  }
  return times;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
