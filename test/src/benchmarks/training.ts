import { fileURLToPath } from 'node:url';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const STEPS = 160;

/**
 * Training speed of the MNIST ConvNet, examples a second: the plain loop, one worker, two workers;
 * and two plain loops side by side that never talk, each on half the batch. `scalingEfficiency` is
 * two workers over those two. Each is measured `rounds` times in turn.
 */
export async function benchTraining(rounds: number): Promise<Record<string, number>> {
  const cases = {
    workers0: () => speed({ workers: 0, shards: 1 }),
    workers1: () => speed({ workers: 1, shards: 1 }),
    workers2: () => speed({ workers: 2, shards: 2 }),
    apart2: async () => {
      const alone = () => speed({ workers: 0, shards: 1, batchSize: 64 });
      const [first, second] = await Promise.all([alone(), alone()]);
      return first + second;
    },
  };
  const times: Record<string, number[]> = Object.fromEntries(
    Object.keys(cases).map((name) => [name, []]),
  );
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(cases)) times[name]!.push(await measure());
  const result = Object.fromEntries(
    Object.entries(times).map(([name, values]) => [name, median(values)]),
  );
  const ratios = times.workers2!.map((value, round) => value / times.apart2![round]!);
  return { ...result, scalingEfficiency: median(ratios) };
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
