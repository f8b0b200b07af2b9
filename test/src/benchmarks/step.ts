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
  const rounds: { own: StepTimes; colocated?: StepTimes; glooMs: number }[] = [];
  for (let round = 0; round < (peers ? ROUNDS : 1); round++)
    rounds.push({
      own: await ownStep(floats, workers, steps),
      ...(peers && { colocated: await ownStep(floats, workers, steps, COLOCATED) }),
      glooMs: (await glooMs?.()) ?? Number.NaN,
    });
  const over = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value));
  const stepMs = over(({ own }) => own.ms);
  const copyMs = await tcpCopyMs(workers, 4 * floats, Math.min(steps, 60));
  const earlyMs = over(({ own }) => own.earlyMs);
  const figures = { stepMs, earlyMs, copyMs, stepToCopy: stepMs / copyMs };
  if (!peers) return figures;
  return {
    ...figures,
    colocatedMs: over(({ colocated }) => colocated!.ms),
    colocatedEarlyMs: over(({ colocated }) => colocated!.earlyMs),
    glooMs: over(({ glooMs }) => glooMs),
    stepToGloo: over(({ own, glooMs }) => own.ms / glooMs),
    colocatedToGloo: over(({ colocated, glooMs }) => colocated!.ms / glooMs),
  };
}

const COLOCATED: LocalOptions = { servers: 'colocated' };

/** Milliseconds of a step, as medians. */
export interface StepTimes {
  /** Of the second half: V8 has compiled by then what every step does. */
  readonly ms: number;
  /** Of the first tenth, while it still compiles beside the steps. */
  readonly earlyMs: number;
}

/** @param more how else it is to be trained */
export async function ownStep(
  floats: number,
  workers: number,
  steps: number,
  more: LocalOptions = {},
): Promise<StepTimes> {
  process.env.IDLE_PARAMETERS = String(floats);
  const told: number[] = [];
  const options = { ...more, workers, steps, shards: Math.max(2, workers) };
  for await (const event of runLocal(programPath('idle.ts'), options))
    if (event.event === 'step') told.push(performance.now());
  return {
    ms: medianStep(told.slice(Math.floor(told.length / 2))),
    earlyMs: medianStep(told.slice(0, Math.ceil(told.length / 10))),
  };
}

/** Over some steps at a time: where servers go on by themselves, several are told of together. */
function medianStep(told: readonly number[]): number {
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
