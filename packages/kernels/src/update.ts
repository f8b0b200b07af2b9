import { TuttiError } from '@tutti/runtime';
import { type Code, TILE, TILE_LENGTH, type UpdateCode } from './code.js';
import type { Conditioning, UpdateRule } from './contract.js';

/** A rule made ready for the compiled code: how many slots it has, which code, which constants. */
interface PreparedUpdate {
  readonly slots: number;
  readonly code: UpdateCode;
  readonly constants: readonly number[];
}

/** How many float32 slots per weight a rule keeps. */
export function slotsOf(rule: UpdateRule): number {
  switch (rule.kind) {
    case 'sgd':
      return 0;
    case 'momentum':
    case 'adagrad':
      return 1;
    case 'rmsprop':
      return rule.centered ? 3 : 2;
    case 'adam':
    case 'adadelta':
    case 'adamax':
      return 2;
  }
}

function prepare(code: Code, rule: UpdateRule): PreparedUpdate {
  const slots = slotsOf(rule);
  switch (rule.kind) {
    case 'sgd':
      return { slots, code: code.sgd, constants: [rule.learningRate] };
    case 'momentum':
      return {
        slots,
        code: rule.nesterov ? code.nesterov : code.momentum,
        constants: [rule.learningRate, rule.momentum],
      };
    case 'adagrad':
      return { slots, code: code.adagrad, constants: [rule.learningRate, rule.epsilon] };
    case 'rmsprop':
      return {
        slots,
        code: rule.centered ? code.rmspropCentered : code.rmsprop,
        constants: [rule.learningRate, rule.decay, 1 - rule.decay, rule.momentum, rule.epsilon],
      };
    case 'adam': {
      const root = Math.sqrt(rule.correction2);
      const rate = (rule.learningRate * root) / rule.correction1;
      const { beta1, beta2 } = rule;
      const constants = [rate, beta1, 1 - beta1, beta2, 1 - beta2, rule.epsilon * root];
      if (rule.decoupledDecay === 0) return { slots, code: code.adam, constants };
      const shrink = rule.learningRate * rule.decoupledDecay;
      return { slots, code: code.adamw, constants: [...constants, shrink] };
    }
    case 'adadelta':
      return {
        slots,
        code: code.adadelta,
        constants: [rule.learningRate, rule.rho, 1 - rule.rho, rule.epsilon],
      };
    case 'adamax':
      return {
        slots,
        code: code.adamax,
        constants: [
          rule.learningRate / rule.correction1,
          rule.beta1,
          1 - rule.beta1,
          rule.beta2,
          rule.epsilon,
        ],
      };
  }
}

/** Addresses in bytes of the first element; length in elements. */
export interface UpdateRange {
  /** Where the new weights go; may be where they were. */
  readonly target: number;
  readonly weights: number;
  readonly sum: number;
  readonly slots: readonly number[];
  readonly length: number;
}

/**
 * Runs the rule over the range. Where the mean is all the conditioning and the divisor is a power
 * of two, a multiplication gives the bits of the division, and the rule's own pass does it.
 * Otherwise the gradient is made tile by tile in the cache: one pass over memory in both cases.
 *
 * @returns the largest magnitude among the new weights; what is not finite in the sum shows in it, too:
 * every rule hands it on to the weight, unless the gradient is limited first
 */
export function runUpdate(
  code: Code,
  rule: UpdateRule,
  conditioning: Conditioning,
  range: UpdateRange,
): number {
  const step = prepare(code, rule);
  if (range.slots.length !== step.slots) {
    throw new TuttiError(
      'INTERNAL',
      `The rule ${rule.kind} has ${step.slots} slots, but was given ${range.slots.length}.`,
      { remedy: 'Allocate the slots with the optimizer that makes the rule.' },
    );
  }
  const { divisor, weightDecay, scale, clipValue } = conditioning;
  const decays = weightDecay !== 0;
  const limits = scale !== 1 || clipValue !== Number.POSITIVE_INFINITY;
  if (!decays && !limits && isPowerOfTwo(divisor)) {
    return step.code(
      range.target,
      range.weights,
      range.sum,
      ...range.slots,
      range.length,
      1 / divisor,
      ...step.constants,
    );
  }
  let largest = 0;
  for (let done = 0; done < range.length; done += TILE_LENGTH) {
    const length = Math.min(TILE_LENGTH, range.length - done);
    const offset = done * 4;
    const weights = range.weights + offset;
    const mean = code.divide(TILE, range.sum + offset, length, divisor);
    if (limits) code.limit(TILE, length, scale, clipValue);
    if (decays) code.decay(TILE, weights, length, weightDecay);
    const slots = range.slots.map((slot) => slot + offset);
    const target = range.target + offset;
    const next = step.code(target, weights, TILE, ...slots, length, 1, ...step.constants);
    largest = Math.max(largest, next, Number.isFinite(mean) ? 0 : mean);
  }
  return largest;
}

/** Numbers whose reciprocal is a float32 too. */
function isPowerOfTwo(value: number): boolean {
  return value >= 1 && value <= 2 ** 52 && 2 ** Math.round(Math.log2(value)) === value;
}
