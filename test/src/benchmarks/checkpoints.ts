import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCheckpointWriter } from '@tutti/checkpoint/internal';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { createLayout } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const WARM_UP = 60;
const WRITES = 20;

/**
 * What a checkpoint a second costs the MNIST ConvNet with two workers, within one run: there is one
 * every two seconds (in steps), so the first half of the steps from one to the next has the cost of
 * one a second, and the second half has none. Means over all halves; `overhead` is their ratio minus
 * one, `medianOverhead` the median of that over the pairs. `writeCpuMs` is the processor time of all
 * threads for writing one: what other work on the machine does not change.
 */
export async function benchCheckpoints(pairs: number): Promise<Record<string, number>> {
  const { plan, times } = await stepTimes({ steps: 3 * WARM_UP });
  const perSecond = Math.max(2, Math.round(1000 / median(times.slice(WARM_UP))));
  const every = 2 * perSecond;
  const directory = await mkdtemp(join(tmpdir(), 'tutti-bench-'));
  try {
    const written: number[] = [];
    const options = { checkpointDir: directory, checkpointEvery: { steps: every } };
    // The first checkpoint, with the start of its thread, is not counted.
    const { times: ms } = await stepTimes({ steps: (pairs + 2) * every, ...options }, written);
    const writeCpuMs = await cpuOfWriting(directory, plan);
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
      writeCpuMs,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function cpuOfWriting(directory: string, plan: JobPlan): Promise<number> {
  const { floats } = createLayout(plan.parameters);
  const writer = createCheckpointWriter();
  const write = (step: number) => {
    const vector = () => new Float32Array(floats).fill(0.5);
    const slots = ['slot-0', 'slot-1'].map((name) => ({ name, values: vector() }));
    const values = createLayout(plan.parameters).views(vector());
    const parameters = plan.parameters.map(({ name, shape }) => {
      return { name, shape, values: values[name]! };
    });
    const { seed, programHash } = plan;
    const manifest = { seed, programHash, plan, versions: {} };
    return writer.write({ directory, step, parameters, slots, manifest, keep: { newest: 3 } });
  };
  // The start of the thread is not counted.
  for (let step = 1; step <= 5; step++) await write(step);
  const before = process.cpuUsage();
  for (let step = 6; step <= 5 + WRITES; step++) await write(step);
  const { user, system } = process.cpuUsage(before);
  await writer.close();
  return (user + system) / 1000 / WRITES;
}

/** How long each step took; `written` is given the steps of the checkpoints. */
async function stepTimes(
  options: LocalOptions,
  written: number[] = [],
): Promise<{ plan: JobPlan; times: number[] }> {
  const times: number[] = [];
  const run = runLocal(CONVNET, { workers: 2, shards: 2, epochs: 1000, ...options });
  for await (const event of run) {
    if (event.event === 'step') times[event.step - 1] = event.stepMs;
    if (event.event === 'checkpoint') written.push(event.step);
  }
  return { plan: (await run.result).plan, times };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
