import { fileURLToPath } from 'node:url';
import { isChecked } from '@tutti/coordinator/internal';
import { runLocal } from '@tutti/launch';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));
const SHARE = 0.25;

/**
 * What --verify costs: the length of a step in which everything is computed twice and compared, over
 * that of the others in the same run of the MNIST ConvNet with two workers. From it, the part of the
 * time that `--verify 0.02` adds.
 */
export async function benchVerify(steps: number): Promise<Record<string, number>> {
  const run = runLocal(CONVNET, { workers: 2, shards: 2, steps, verify: SHARE });
  const [plain, checked]: [number[], number[]] = [[], []];
  const times: number[] = [];
  for await (const event of run) if (event.event === 'step') times[event.step - 1] = event.stepMs;
  const { plan } = await run.result;
  for (const [step, ms] of times.entries())
    if (step > steps / 4) (isChecked(plan, SHARE, step) ? checked : plain).push(ms);
  const [plainMs, checkedMs] = [median(plain), median(checked)];
  const ratio = checkedMs / plainMs;
  return { plainMs, checkedMs, ratio, overheadAt2Percent: 0.02 * (ratio - 1) };
}
