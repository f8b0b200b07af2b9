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
      return halfCosine(step / schedule.steps, floor);
    }
    case 'cosineRestarts': {
      // The same, with restarts: each period is as long as the one before times `stretch` (T_mult).
      const { stretch = 1, factor = 1, floor = 0 } = schedule;
      // All periods that are as long are passed at once: every chunk asks, in every step.
      const equal = stretch === 1 ? Math.floor(step / schedule.steps) : 0;
      let [begun, length, peak] = [equal * schedule.steps, schedule.steps, factor ** equal];
      while (step >= begun + length) {
        begun += length;
        length *= stretch;
        peak *= factor;
      }
      return Math.max(floor, peak * halfCosine((step - begun) / length, floor));
    }
    case 'polynomial': {
      const { power = 1, floor = 0, steps } = schedule;
      return floor + (1 - floor) * (1 - Math.min(step, steps) / steps) ** power;
    }
    case 'piecewise': {
      const at = schedule.from.findLastIndex((from) => step >= from);
      return at < 0 ? 1 : schedule.factors[at]!;
    }
  }
}

function halfCosine(progress: number, floor: number): number {
  return floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2;
}
