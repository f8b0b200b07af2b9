import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { WORKER_NODE_OPTIONS, workerEnvironment } from '@tutti/launch/internal';
import { median } from './median.js';
import { pythonWith, scriptPath } from './python.js';

export type ModelName = 'convnet' | 'lstm' | 'dense';

export interface GradientTask {
  readonly model: ModelName;
  readonly batch: number;
  readonly iterations: number;
}

const BATCHES = [16, 64, 128];
/** Examples of one measurement, which takes about a quarter of a second. */
const EXAMPLES: Record<ModelName, number> = { convnet: 512, lstm: 512, dense: 4096 };

/**
 * The processor time of a gradient with one thread, values read: `<model> <micro-batch>` is how many
 * times as fast as Python's `tf.function` we are (above 1: faster), `... tfjs` as tfjs-node as it comes.
 * Each measures in a process of its own, in turn, `rounds` times; the median counts.
 */
export async function benchGradient(rounds: number): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL('./gradient-child.js', import.meta.url));
  const node = process.execPath;
  const measured = {
    ours: open(node, [...WORKER_NODE_OPTIONS, child, 'ours'], workerEnvironment(process.env)),
    plain: open(node, [child, 'plain'], {
      TF_NUM_INTRAOP_THREADS: '1',
      TF_NUM_INTEROP_THREADS: '1',
    }),
    python: open(await pythonWith('tensorflow'), [scriptPath('gradient.py')], {
      TF_ENABLE_ONEDNN_OPTS: '1',
    }),
  };
  const result: Record<string, number> = {};
  try {
    for (const model of Object.keys(EXAMPLES) as ModelName[])
      for (const batch of BATCHES) {
        const task = { model, batch, iterations: Math.ceil(EXAMPLES[model] / batch) };
        const ratios: { python: number; plain: number; ms: number }[] = [];
        for (let round = -1; round < rounds; round++) {
          const ms = await measured.ours.measure(task);
          const python = (await measured.python.measure(task)) / ms;
          const plain = (await measured.plain.measure(task)) / ms;
          if (round >= 0) ratios.push({ python, plain, ms });
        }
        result[`${model} ${batch}`] = median(ratios.map(({ python }) => python));
        result[`${model} ${batch} tfjs`] = median(ratios.map(({ plain }) => plain));
        result[`${model} ${batch} ms`] = median(ratios.map(({ ms }) => ms));
      }
  } finally {
    for (const { close } of Object.values(measured)) close();
  }
  return result;
}

/** A process that answers each task with a line. */
function open(command: string, args: readonly string[], environment: Record<string, string>) {
  const peer: ChildProcessByStdio<Writable, Readable, null> = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', ...environment },
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  return {
    async measure(task: GradientTask): Promise<number> {
      peer.stdin.write(`${JSON.stringify(task)}\n`);
      // Unnamed wait: a benchmark, which somebody watches.
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ${args.join(' ')} ended (see above)`);
      return Number(value);
    },
    close: () => void peer.stdin.end(),
  };
}
