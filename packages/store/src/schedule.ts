import type { OptimizerSpec, Schedule } from '@tutti/protocol';

/**
 * The learning rate of one step; steps count from 0.
 *
 * During the first `warmupSteps` it is `learningRate * (step + 1) / warmupSteps`: not 0 at step 0,
 * and the full rate at the last of them. The schedule starts after them, at its own step 0.
 */
export function learningRateAt(spec: OptimizerSpec, step: number): number {
  const warmupSteps = spec.warmupSteps ?? 0;
  if (step < warmupSteps) return (spec.learningRate * (step + 1)) / warmupSteps;
  return spec.learningRate * factorAt(spec.schedule ?? { kind: 'constant' }, step - warmupSteps);
}

function factorAt(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(step / schedule.every);
    case 'exponential':
      return schedule.factor ** (step / schedule.every);
    case 'cosine': {
      // Loshchilov & Hutter 2017, equation 5, without restarts.
      const floor = schedule.floor ?? 0;
      if (step >= schedule.steps) return floor;
      return floor + ((1 - floor) * (1 + Math.cos((Math.PI * step) / schedule.steps))) / 2;
    }
  }
}
