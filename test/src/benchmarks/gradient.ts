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
 * The processor time of a gradient with one thread, values read: `<model> <micro-batch> tfjs` is how many
 * times as fast as tfjs-node as it comes we are (above 1: faster), `<model> <micro-batch>` as Python's `tf.function`.
 * Each measures in a process of its own, in turn, `rounds` times; the median counts.
 */
export async function benchGradient(
  rounds: number,
  peers: boolean,
): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL('./gradient-child.js', import.meta.url));
  const node = process.execPath;
  const ours = open(node, [...WORKER_NODE_OPTIONS, child, 'ours'], workerEnvironment(process.env));
  const others = {
    ...(peers && {
      '': open(await pythonWith('tensorflow'), [scriptPath('gradient.py')], {
        TF_ENABLE_ONEDNN_OPTS: '1',
      }),
    }),
    ' tfjs': open(node, [child, 'plain'], {
      TF_NUM_INTRAOP_THREADS: '1',
      TF_NUM_INTEROP_THREADS: '1',
    }),
  };
  const result: Record<string, number> = {};
  try {
    for (const model of Object.keys(EXAMPLES) as ModelName[])
      for (const batch of BATCHES) {
        const task = { model, batch, iterations: Math.ceil(EXAMPLES[model] / batch) };
        const measured = new Map<string, number[]>();
        for (let round = -1; round < rounds; round++) {
          const ms = await ours.measure(task);
          const figures: [string, number][] = [[' ms', ms]];
          for (const [name, other] of Object.entries(others))
            figures.push([name, (await other.measure(task)) / ms]);
          for (const [name, figure] of round < 0 ? [] : figures)
            measured.set(name, [...(measured.get(name) ?? []), figure]);
        }
        for (const [name, values] of measured) result[`${model} ${batch}${name}`] = median(values);
      }
  } finally {
    for (const { close } of [ours, ...Object.values(others)]) close();
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
