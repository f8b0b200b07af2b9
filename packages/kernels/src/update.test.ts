import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Block, Conditioning, Kernels, UpdateRule } from './contract.js';
import { createKernels } from './kernels.js';
import { slotsOf } from './update.js';

const f = Math.fround;
const { sqrt, abs } = Math;
/** What a mean of gradients is kept as, and a square: never so small that processors take their time. */
const orZero = (x: number) => (abs(x) < 2 ** -100 ? 0 : x);
const square = (x: number) => f(Math.max(abs(x), 2 ** -50) ** 2);

/** One element: the weight and its slots after the step, in plain float32 arithmetic. */
function stepReference(rule: UpdateRule, w: number, g: number, s: readonly number[]): number[] {
  const [s0 = 0, s1 = 0, s2 = 0] = s;
  const weighted = (a: number, x: number, b: number, y: number) => f(f(x * f(a)) + f(y * f(b)));
  switch (rule.kind) {
    case 'sgd':
      return [f(w - f(f(rule.learningRate) * g))];
    case 'momentum': {
      const v = orZero(f(f(f(rule.momentum) * s0) + g));
      const direction = rule.nesterov ? f(g + f(f(rule.momentum) * v)) : v;
      return [f(w - f(f(rule.learningRate) * direction)), v];
    }
    case 'adagrad': {
      const a = f(s0 + square(g));
      const direction = f(g / f(sqrt(f(a + f(rule.epsilon)))));
      return [f(w - f(f(rule.learningRate) * direction)), a];
    }
    case 'rmsprop': {
      const { decay, momentum } = rule;
      const epsilon = f(rule.epsilon);
      const squares = weighted(decay, s0, 1 - decay, square(g));
      const mean = orZero(weighted(decay, s2, 1 - decay, g));
      const variance = f(squares - f(square(mean) + epsilon));
      const denominator = rule.centered ? Math.max(variance, epsilon) : f(squares + epsilon);
      const direction = f(f(g * f(rule.learningRate)) / f(sqrt(denominator)));
      const v = orZero(f(f(s1 * f(momentum)) + direction));
      return rule.centered ? [f(w - v), squares, v, mean] : [f(w - v), squares, v];
    }
    case 'adam': {
      const root = sqrt(rule.correction2);
      const m = orZero(weighted(rule.beta1, s0, 1 - rule.beta1, g));
      const v = weighted(rule.beta2, s1, 1 - rule.beta2, square(g));
      const direction = f(m / f(f(sqrt(v)) + f(rule.epsilon * root)));
      const change = f(direction * f((rule.learningRate * root) / rule.correction1));
      if (rule.decoupledDecay === 0) return [f(w - change), m, v];
      const shrunk = orZero(f(f(rule.learningRate * rule.decoupledDecay) * w));
      return [f(w - f(change + shrunk)), m, v];
    }
    case 'adadelta': {
      const epsilon = f(rule.epsilon);
      const u = f(f(f(sqrt(f(s1 + epsilon))) / f(sqrt(f(s0 + epsilon)))) * g);
      const a = weighted(rule.rho, s0, 1 - rule.rho, square(g));
      const d = weighted(rule.rho, s1, 1 - rule.rho, square(u));
      return [f(w - f(f(rule.learningRate) * u)), a, d];
    }
    case 'adamax': {
      const m = orZero(weighted(rule.beta1, s0, 1 - rule.beta1, g));
      const u = Math.max(abs(g), 2 ** -100, f(f(rule.beta2) * s1));
      const rate = f(rule.learningRate / rule.correction1);
      return [f(w - f(rate * f(m / f(u + f(rule.epsilon))))), m, u];
    }
  }
}

function conditionReference(conditioning: Conditioning, sum: number, w: number): number {
  let g = f(sum / f(conditioning.divisor));
  g = f(g * f(conditioning.scale));
  const limit = f(conditioning.clipValue);
  g = Math.min(Math.max(g, -limit), limit);
  return conditioning.weightDecay === 0 ? g : f(g + orZero(f(f(conditioning.weightDecay) * w)));
}

const rates = { learningRate: 0.01, epsilon: 1e-7 };
const adam = { beta1: 0.9, beta2: 0.999, correction1: 0.19, correction2: 0.001999 };
const rules: Record<string, UpdateRule> = {
  sgd: { kind: 'sgd', ...rates },
  momentum: { kind: 'momentum', momentum: 0.9, nesterov: false, ...rates },
  nesterov: { kind: 'momentum', momentum: 0.9, nesterov: true, ...rates },
  adagrad: { kind: 'adagrad', ...rates },
  rmsprop: { kind: 'rmsprop', decay: 0.9, momentum: 0.5, centered: false, ...rates },
  'rmsprop, centered': { kind: 'rmsprop', decay: 0.9, momentum: 0.5, centered: true, ...rates },
  adam: { kind: 'adam', ...adam, decoupledDecay: 0, ...rates },
  adamw: { kind: 'adam', ...adam, decoupledDecay: 0.01, ...rates },
  adadelta: { kind: 'adadelta', rho: 0.95, ...rates },
  adamax: { kind: 'adamax', beta1: 0.9, beta2: 0.999, correction1: 0.19, ...rates },
};

const plain = { divisor: 1, weightDecay: 0, scale: 1, clipValue: Number.POSITIVE_INFINITY };
const conditionings = fc.record({
  divisor: fc.oneof(fc.constantFrom(1, 2, 128, 1024, 2 ** 24), fc.integer({ min: 1, max: 1000 })),
  weightDecay: fc.constantFrom(0, 0, 0.01),
  scale: fc.constantFrom(1, 1, 0.3),
  clipValue: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0.25),
});

/** Around the bounds below which a mean or a square is not kept as it is. */
const small = fc
  .tuple(fc.integer({ min: -149, max: -40 }), fc.integer({ min: 0, max: 7 }))
  .map(([exponent, eighths]) => f(2 ** exponent * (1 + eighths / 8)));
const positive = fc.oneof(fc.float({ min: 0, max: 100, noNaN: true }), small);
const value = fc.tuple(positive, fc.constantFrom(1, -1)).map(([size, sign]) => sign * size);
const element = fc.tuple(value, value, positive, positive, positive);

interface State {
  readonly weights: Block;
  readonly sum: Block;
  readonly slots: readonly Block[];
}

function load(kernels: Kernels, rule: UpdateRule, elements: readonly number[][]): State {
  const column = (index: number) => {
    const block = kernels.allocate(elements.length);
    block.values.set(elements.map((entry) => entry[index]!));
    return block;
  };
  const slots = Array.from({ length: slotsOf(rule) }, (_, index) => column(2 + index));
  return { weights: column(0), sum: column(1), slots };
}

function release(kernels: Kernels, state: State): number[][] {
  const blocks = [state.weights, ...state.slots];
  const result = blocks.map((block) => [...block.values]);
  for (const block of [...blocks, state.sum]) kernels.free(block);
  return result;
}

describe('update', () => {
  const kernels = createKernels();

  for (const [name, rule] of Object.entries(rules)) {
    it(`${name} has the bits of its formula in float32`, () => {
      fc.assert(
        fc.property(
          fc.array(element, { maxLength: 40 }),
          conditionings,
          (elements, conditioning) => {
            const state = load(kernels, rule, elements);
            kernels.update(
              rule,
              conditioning,
              state.weights,
              state.sum,
              state.slots,
              0,
              elements.length,
            );
            const slots = slotsOf(rule);
            const expected = elements.map(([w, sum, ...s]) =>
              stepReference(rule, w, conditionReference(conditioning, sum, w), s.slice(0, slots)),
            );
            release(kernels, state).forEach((values, index) => {
              assert.deepEqual(
                values,
                expected.map((after) => after[index]),
              );
            });
          },
        ),
      );
    });

    it(`${name} puts the new weights elsewhere, and leaves the old ones`, () => {
      fc.assert(
        fc.property(
          fc.array(element, { maxLength: 40 }),
          conditionings,
          (elements, conditioning) => {
            const { length } = elements;
            const inPlace = load(kernels, rule, elements);
            const { weights, sum, slots } = inPlace;
            const most = kernels.update(rule, conditioning, weights, sum, slots, 0, length);
            assert.equal(most, kernels.maxAbs(weights));
            const apart = load(kernels, rule, elements);
            const target = kernels.allocate(length);
            assert.equal(
              kernels.update(
                rule,
                conditioning,
                apart.weights,
                apart.sum,
                apart.slots,
                0,
                length,
                target,
              ),
              most,
            );
            assert.deepEqual([...target.values], [...weights.values]);
            kernels.free(target);
            const [before, ...slotsAfter] = release(kernels, apart);
            assert.deepEqual(
              before,
              elements.map(([weight]) => weight),
            );
            assert.deepEqual(slotsAfter, release(kernels, inPlace).slice(1));
          },
        ),
      );
    });

    it(`${name} tells of a sum that is not finite, at every position`, () => {
      const halved = { ...plain, divisor: 2 };
      const all = [halved, { ...plain, divisor: 3 }, { ...halved, clipValue: 0.1 }];
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        for (const conditioning of all)
          for (let length = 1; length <= 19; length++)
            for (let at = 0; at < length; at++) {
              const elements = Array.from({ length }, (_, index) => [
                1,
                index === at ? bad : 1,
                ...[0.5, 0.5, 0.5],
              ]);
              const state = load(kernels, rule, elements);
              const { weights, sum, slots } = state;
              const most = kernels.update(rule, conditioning, weights, sum, slots, 0, length);
              assert.ok(!Number.isFinite(most), `${bad} at ${at} of ${length} gave ${most}`);
              release(kernels, state);
            }
    });

    it(`${name} keeps nothing for which processors take their time, when no gradient comes any more`, () => {
      const state = load(kernels, rule, [[1, 1, 0, 0, 0]]);
      const { weights, sum, slots } = state;
      // Without a bound, 0.9^1000 is denormal, and 0.999^100000.
      for (let step = 0; step < 120_000; step++) {
        kernels.update(rule, plain, weights, sum, slots, 0, 1);
        sum.values[0] = 0;
        for (const { values } of slots)
          assert.ok(values[0] === 0 || abs(values[0]!) >= 2 ** -126, `${values[0]} at ${step}`);
      }
      release(kernels, state);
    });

    it(`${name} lets no weight decay to where processors take their time`, () => {
      const start = 2 ** -95;
      const state = load(kernels, rule, [[start, 0, 0, 0, 0]]);
      const { weights, sum, slots } = state;
      const weightDecay = name === 'adamw' ? 0 : 0.01;
      const decaying = { ...plain, weightDecay };
      const fast = { ...rule, learningRate: 0.2, epsilon: 1e-3 };
      // Without a bound, (1 - 0.2 * 0.01)^12000 of it is denormal.
      for (let step = 0; step < 12_000; step++) {
        kernels.update(fast, decaying, weights, sum, slots, 0, 1);
        const [weight] = weights.values;
        assert.ok(weight === 0 || abs(weight!) >= 2 ** -126, `${weight} at ${step}`);
      }
      release(kernels, state);
    });

    it(`${name} gives the same bits however its range is split`, () => {
      fc.assert(
        fc.property(
          fc.array(element, { minLength: 1, maxLength: 70 }),
          conditionings,
          fc.array(fc.nat(70), { maxLength: 4 }),
          (elements, conditioning, cuts) => {
            const { length } = elements;
            const whole = load(kernels, rule, elements);
            kernels.update(rule, conditioning, whole.weights, whole.sum, whole.slots, 0, length);
            const parts = load(kernels, rule, elements);
            const edges = [0, ...cuts.map((cut) => cut % length).sort((a, b) => a - b), length];
            for (let index = 1; index < edges.length; index++) {
              const start = edges[index - 1]!;
              const { weights, sum, slots } = parts;
              kernels.update(rule, conditioning, weights, sum, slots, start, edges[index]! - start);
            }
            assert.deepEqual(release(kernels, parts), release(kernels, whole));
          },
        ),
      );
    });
  }

  it('tiles join without a seam in a range longer than a tile', () => {
    const rule = rules.adam!;
    const conditioning = { divisor: 96, weightDecay: 0.01, scale: 0.5, clipValue: 0.2 };
    const elements = Array.from({ length: 5003 }, (_, index) => [
      f(Math.sin(index)),
      f(20 * Math.cos(3 * index)),
      f(Math.sin(5 * index)),
      f(abs(Math.sin(7 * index))),
    ]);
    const state = load(kernels, rule, elements);
    kernels.update(rule, conditioning, state.weights, state.sum, state.slots, 1, 5001);
    const expected = elements.map(([w, sum, ...s], index) =>
      index === 0 || index === 5002
        ? [w!, ...s]
        : stepReference(rule, w!, conditionReference(conditioning, sum!, w!), s),
    );
    release(kernels, state).forEach((values, index) => {
      assert.deepEqual(
        values,
        expected.map((after) => after[index]),
      );
    });
  });

  it('centered rmsprop stays finite where a gradient is zero', () => {
    const rule = rules['rmsprop, centered']!;
    assert.ok(rule.kind === 'rmsprop');
    const state = load(kernels, rule, [[1, 0, 0, 0, 0]]);
    kernels.update(rule, plain, state.weights, state.sum, state.slots, 0, 1);
    // The least square, a tenth of it.
    const least = f(f(1 - rule.decay) * 2 ** -100);
    assert.deepEqual(release(kernels, state), [[1], [least], [0], [0]]);
  });
});
