import { fileURLToPath } from 'node:url';
import { type LocalOptions, runLocal } from '@tutti/launch';
import { median } from './median.js';
import { figureOf, pythonWith } from './python.js';
import { tcpCopyMs } from './tcp-copy.js';

/** The programs stand in src: they are run as they are. */
export const programPath = (name: string) =>
  fileURLToPath(new URL(`../../src/programs/${name}`, import.meta.url));

const ROUNDS = 5;

/**
 * One synchronous step without computing: push, add, Adam, pull. Milliseconds (median), and the ratio
 * to a bare copy of the same bytes over loopback TCP, for the number of floats and of workers.
 * @param peers beside all_reduce over gloo and fused Adam of PyTorch, and servers in the workers' processes, in
 * turn: `stepToGloo` and `colocatedToGloo` are the median ratios
 */
export async function benchStep(
  floats: number,
  workers: number,
  steps: number,
  peers: boolean,
): Promise<Record<string, number>> {
  const glooMs = peers ? await glooStep(floats, workers, steps) : undefined;
  const rounds: Record<'stepMs' | 'colocatedMs' | 'glooMs', number>[] = [];
  for (let round = 0; round < (peers ? ROUNDS : 1); round++)
    rounds.push({
      stepMs: await ownStep(floats, workers, steps),
      colocatedMs: peers ? await ownStep(floats, workers, steps, COLOCATED) : Number.NaN,
      glooMs: (await glooMs?.()) ?? Number.NaN,
    });
  const stepMs = median(rounds.map((round) => round.stepMs));
  const copyMs = await tcpCopyMs(workers, 4 * floats, Math.min(steps, 60));
  const figures = { stepMs, copyMs, stepToCopy: stepMs / copyMs };
  if (!peers) return figures;
  return {
    ...figures,
    colocatedMs: median(rounds.map((round) => round.colocatedMs)),
    glooMs: median(rounds.map((round) => round.glooMs)),
    stepToGloo: median(rounds.map((round) => round.stepMs / round.glooMs)),
    colocatedToGloo: median(rounds.map((round) => round.colocatedMs / round.glooMs)),
  };
}

const COLOCATED: LocalOptions = { servers: 'colocated' };

/**
 * The median over some steps at a time: where servers go on by themselves, several are told of together.
 * @param more how else it is to be trained
 */
export async function ownStep(
  floats: number,
  workers: number,
  steps: number,
  more: LocalOptions = {},
): Promise<number> {
  process.env.IDLE_PARAMETERS = String(floats);
  const told: number[] = [];
  const options = { ...more, workers, steps, shards: Math.max(2, workers) };
  for await (const event of runLocal(programPath('idle.ts'), options))
    if (event.event === 'step' && event.step > steps / 4) told.push(performance.now());
  const some = Math.max(1, Math.min(16, Math.floor(told.length / 5)));
  const times = [];
  for (let at = some; at < told.length; at += some)
    times.push((told[at]! - told[at - some]!) / some);
  return median(times);
}

async function glooStep(floats: number, workers: number, steps: number) {
  const python = await pythonWith('torch');
  return () => figureOf(python, 'step-torch.py', [workers, floats, steps]);
}
