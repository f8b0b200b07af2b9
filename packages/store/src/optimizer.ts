import { type Conditioning, slotsOf, type UpdateRule } from '@tutti/kernels';
import type { OptimizerSpec } from '@tutti/protocol';
import { type CorrectionSource, float32Corrections, realCorrections } from './corrections.js';
import { OPTIMIZER_DEFAULTS, type OptimizerNumbers } from './defaults.js';
import { learningRateAt } from './schedule.js';
import { checkOptimizer } from './validation.js';

/** A spec made into numbers for the kernels. */
export interface Optimizer {
  readonly spec: OptimizerSpec;
  /** Float32 values kept per weight, besides the weight. */
  readonly slots: number;
  /** What slot `index` holds before the first step. */
  initialSlot(index: number): number;
  /**
   * The update of step `step` (from 0). `decay` false leaves decoupled decay out; `rate` is a factor of
   * the learning rate.
   */
  rule(step: number, decay?: boolean, rate?: number): UpdateRule;
  /**
   * From the sum over `count` examples to the gradient. `scale` comes from `normScale`; `decay`
   * false leaves L2 regularisation out.
   */
  conditioning(count: number, scale: number, decay?: boolean): Conditioning;
  /**
   * What clipping by the global norm multiplies the mean gradient with: `clipNorm / max(norm,
   * clipNorm)` (Pascanu, Mikolov & Bengio 2013, algorithm 1; as tf.clipByGlobalNorm), 1 without
   * `clipNorm`. `sumOfSquares` is that of the summed gradient over all `gradient` parameters.
   */
  normScale(sumOfSquares: number, count: number): number;
}

/** Throws BAD_CONFIG for a spec that `validateOptimizer` finds fault with. */
export function createOptimizer(spec: OptimizerSpec): Optimizer {
  checkOptimizer(spec);
  const settings = withDefaults(spec);
  const decoupled = spec.name === 'adamw';
  const ruleAt = ruleMaker(spec, settings);
  return {
    spec,
    slots: slotsOf(ruleAt(0, true)),
    initialSlot: () => (spec.name === 'adagrad' ? settings.initialAccumulator : 0),
    rule(step, decay = true, rate = 1) {
      const rule = ruleAt(step, decay);
      const learningRate = felt(rate * rule.learningRate);
      return learningRate === rule.learningRate ? rule : { ...rule, learningRate };
    },
    conditioning: (count, scale, decay = true) => ({
      divisor: count,
      weightDecay: decoupled || !decay ? 0 : settings.weightDecay,
      scale,
      clipValue: spec.clipValue ?? Number.POSITIVE_INFINITY,
    }),
    normScale(sumOfSquares, count) {
      if (spec.clipNorm === undefined) return 1;
      const norm = Math.sqrt(sumOfSquares) / count;
      return spec.clipNorm / Math.max(norm, spec.clipNorm);
    },
  };
}

/**
 * 0 for a rate by which no weight moves any more: a schedule comes to that in the end. Products with it are
 * denormal, for which processors take up to thirty times as long.
 */
const felt = (rate: number) => (rate < 2 ** -100 ? 0 : rate);

function withDefaults(spec: OptimizerSpec): OptimizerNumbers {
  const given = Object.entries(spec).filter(([, value]) => value !== undefined);
  const defaults = { weightDecay: 0, ...OPTIMIZER_DEFAULTS[spec.name] };
  return { ...defaults, ...Object.fromEntries(given) } as OptimizerNumbers;
}

function ruleMaker(
  spec: OptimizerSpec,
  settings: OptimizerNumbers,
): (step: number, decay: boolean) => UpdateRule {
  const { momentum, epsilon, beta1, beta2, rho } = settings;
  const rate = (step: number) => learningRateAt(spec, step);
  switch (spec.name) {
    case 'sgd':
      return (step) => ({ kind: 'sgd', learningRate: rate(step) });
    case 'momentum':
    case 'nesterov': {
      const nesterov = spec.name === 'nesterov';
      return (step) => ({ kind: 'momentum', learningRate: rate(step), momentum, nesterov });
    }
    case 'adagrad':
      return (step) => ({ kind: 'adagrad', learningRate: rate(step), epsilon });
    case 'rmsprop': {
      const { decay, centered } = settings;
      const fixed = { kind: 'rmsprop', decay, momentum, epsilon, centered } as const;
      return (step) => ({ learningRate: rate(step), ...fixed });
    }
    case 'adam':
    case 'adamw': {
      const corrections: CorrectionSource =
        spec.name === 'adam' ? float32Corrections : realCorrections;
      const first = corrections(beta1);
      const second = corrections(beta2);
      const decoupledDecay = spec.name === 'adamw' ? settings.weightDecay : 0;
      return (step, decay) => ({
        kind: 'adam',
        learningRate: rate(step),
        beta1,
        beta2,
        epsilon,
        correction1: first(step),
        correction2: second(step),
        decoupledDecay: decay ? decoupledDecay : 0,
      });
    }
    case 'adadelta':
      return (step) => ({ kind: 'adadelta', learningRate: rate(step), rho, epsilon });
    case 'adamax': {
      const correction = float32Corrections(beta1);
      return (step) => ({
        kind: 'adamax',
        // tfjs' own schedule: learningRate / (1 + decay * step).
        learningRate: rate(step) / (1 + settings.decay * step),
        beta1,
        beta2,
        epsilon,
        correction1: correction(step),
      });
    }
  }
}
