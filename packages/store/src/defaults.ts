import type { OptimizerSpec } from '@tutti/protocol';

export type OptimizerName = OptimizerSpec['name'];

/** The settings that only some optimizers have. */
export type OptimizerNumbers = Required<
  Pick<
    OptimizerSpec,
    | 'momentum'
    | 'beta1'
    | 'beta2'
    | 'epsilon'
    | 'rho'
    | 'decay'
    | 'centered'
    | 'initialAccumulator'
    | 'weightDecay'
  >
>;

/** What tfjs-core 4.22 adds where no epsilon is given: its backends' `epsilon()` for float32. */
const EPSILON = 1e-7;

/**
 * The hyperparameters that each optimizer has, with the defaults of tfjs-core 4.22
 * (optimizer_constructors.ts). Where tfjs has none, `momentum` is 0.9, as usual, and the decoupled
 * decay of adamw 0.01, as in PyTorch. `weightDecay` is 0 for all others.
 */
export const OPTIMIZER_DEFAULTS: Readonly<
  Record<OptimizerName, Readonly<Partial<OptimizerNumbers>>>
> = {
  sgd: {},
  momentum: { momentum: 0.9 },
  nesterov: { momentum: 0.9 },
  adagrad: { initialAccumulator: 0.1, epsilon: EPSILON },
  rmsprop: { decay: 0.9, momentum: 0, epsilon: EPSILON, centered: false },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: EPSILON },
  adamw: { beta1: 0.9, beta2: 0.999, epsilon: EPSILON, weightDecay: 0.01 },
  adadelta: { rho: 0.95, epsilon: EPSILON },
  adamax: { beta1: 0.9, beta2: 0.999, epsilon: EPSILON, decay: 0 },
};
