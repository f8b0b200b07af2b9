import { createHash } from 'node:crypto';
import type { Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { JobPlan, ShardReport } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import type { ProgramRunner } from './program-runner.js';

/** What one micro-batch gave. */
interface ProbeGradient {
  readonly flat: Float32Array;
  readonly report: ShardReport;
}

/**
 * The digest of the initial values, and of the gradient of the first micro-batch that has examples
 * with them: the same on all machines with the same arithmetic. The gradient is computed twice, so
 * that a program that is not a function of its arguments is found before it trains.
 * @throws TuttiError PROGRAM_FAILED naming the tensor whose bits differ
 */
export async function probe(init: {
  readonly runner: ProgramRunner;
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly worker: string;
}): Promise<string> {
  const { runner, plan, layout, kernels, worker } = init;
  const initial = await runner.initialize();
  const weights = layout.views(initial);
  let shard = 0;
  while ((await runner.read(0, shard)).count === 0 && shard + 1 < plan.shards) shard++;

  async function compute(): Promise<ProbeGradient> {
    const flat = new Float32Array(layout.floats);
    // Read anew: what is random in the micro-batch must come out the same from its beginning.
    const microBatch = await runner.read(0, shard);
    const report = await runner.gradient(weights, microBatch, (chunk, block) => {
      flat.set(block.values, chunk * layout.chunkFloats);
      kernels.free(block);
    });
    return { flat, report };
  }
  const [first, second] = [await compute(), await compute()];
  if (isSame(first, second)) return digestOf(initial, first);
  throw unsteady(differenceOf(layout, first, second), shard, worker);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Whether all bits are. */
function isSame(first: ProbeGradient, second: ProbeGradient): boolean {
  const [a, b] = [first.report, second.report];
  const sums = a.count === b.count && Object.is(a.lossSum, b.lossSum);
  return sums && Buffer.compare(bytesOf(first.flat), bytesOf(second.flat)) === 0;
}

/** Over the initial values, and everything that a micro-batch adds to a step. */
function digestOf(
  initial: Float32Array,
  { flat, report: { count, lossSum } }: ProbeGradient,
): string {
  const sums = new Uint8Array(Float64Array.of(count, lossSum).buffer);
  return createHash('sha256')
    .update(bytesOf(initial))
    .update(bytesOf(flat))
    .update(sums)
    .digest('hex');
}

interface Difference {
  readonly tensor: string;
  readonly what: string;
}

function differenceOf(layout: Layout, first: ProbeGradient, second: ProbeGradient): Difference {
  const [a, b] = [first.flat, second.flat].map((flat) => new Uint32Array(flat.buffer));
  const at = a!.findIndex((bits, i) => bits !== b![i]);
  if (at < 0)
    return {
      tensor: 'loss',
      what: `the loss is ${first.report.lossSum} and ${second.report.lossSum}`,
    };
  const { name, offset } = layout.parameterAt(at);
  const values = `${first.flat[at]} and ${second.flat[at]}`;
  return { tensor: name, what: `the gradient of "${name}" is ${values} in element ${at - offset}` };
}

function unsteady({ tensor, what }: Difference, shard: number, worker: string): TuttiError {
  return new TuttiError(
    'PROGRAM_FAILED',
    `The same micro-batch computed twice gives different bits: ${what} (step 0, shard ${shard} on worker ${worker})`,
    {
      remedy:
        'Likely causes: Math.random or Date.now instead of the `random` of the micro-batch, a layer with a random state of its own (dropout without a seed), state kept between calls, or an operation that several threads add up in any order (--threads 1).',
      details: { step: 0, shard, worker, tensor },
    },
  );
}
