import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';

const CONVNET = fileURLToPath(new URL('../../../examples/src/mnist-convnet.ts', import.meta.url));

const NETWORKS = { '10 Gb/s': 10e9, '1 Gb/s': 1e9, '100 Mb/s': 100e6 } as const;
/** From one host to another within a room. */
const DELAY_MS = 0.1;
const CODECS = ['none', 'bf16', 'int8'] as const;
type Codec = (typeof CODECS)[number];

const GOAL = 0.98;
/** So often it is looked whether the goal is reached. */
const LOOK_EVERY = 50;
const MOST_STEPS = 2000;

/**
 * Seconds until the MNIST ConvNet knows 98 % of the test digits, with two workers on networks of several
 * speeds and with compressed gradients: `steps` follow from the codec alone, so a step is measured on each
 * network and multiplied. Starting and evaluating do not count.
 */
export async function benchNetwork(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const codec of CODECS) {
    const steps = await stepsToGoal(codec);
    figures[`${codec}: steps`] = steps;
    for (const [name, bitsPerSecond] of Object.entries(NETWORKS)) {
      const ms = await stepMs(codec, { network: { bitsPerSecond, delayMs: DELAY_MS } });
      figures[`${codec}, ${name}: ms a step`] = ms;
      figures[`${codec}, ${name}: s to 98 %`] = (steps * ms) / 1000;
    }
  }
  return figures;
}

const SHAPE = { workers: 2, shards: 2, batchSize: 128 } as const;
const compressed = (codec: Codec): LocalOptions =>
  codec === 'none' ? {} : { gradientCompression: codec };

async function stepsToGoal(codec: Codec): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-network-'));
  try {
    for (let steps = LOOK_EVERY; steps <= MOST_STEPS; steps += LOOK_EVERY) {
      const options = { ...SHAPE, ...compressed(codec), steps, checkpointDir: folder };
      const resume = steps === LOOK_EVERY ? {} : { resume: 'latest' };
      const { metrics } = await runLocal(CONVNET, { ...options, ...resume }).result;
      if ((metrics?.accuracy ?? 0) >= GOAL) return steps;
    }
    throw new Error(`The ConvNet has not reached ${GOAL} within ${MOST_STEPS} steps`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function stepMs(codec: Codec, network: LocalOptions): Promise<number> {
  const times: number[] = [];
  const options = { ...SHAPE, ...compressed(codec), ...network, steps: 40 };
  for await (const event of runLocal(CONVNET, options))
    if (event.event === 'step' && event.step > 10) times.push(event.stepMs);
  return median(times);
}
