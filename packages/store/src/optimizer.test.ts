import assert from 'node:assert/strict';
import type { OptimizerSpec } from '@tutti/protocol';
import { float32Corrections, realCorrections } from './corrections.js';
import { createOptimizer } from './optimizer.js';

const adamw: OptimizerSpec = { name: 'adamw', learningRate: 0.1, weightDecay: 0.01 };
const adam: OptimizerSpec = { name: 'adam', learningRate: 0.1, weightDecay: 0.01 };

describe('optimizer', () => {
  it('has the slots of its rule, at their first values', () => {
    const slots = (spec: OptimizerSpec) => createOptimizer(spec).slots;
    assert.equal(slots({ name: 'sgd', learningRate: 1 }), 0);
    assert.equal(slots({ name: 'nesterov', learningRate: 1 }), 1);
    assert.equal(slots({ name: 'adam', learningRate: 1 }), 2);
    assert.equal(slots({ name: 'rmsprop', learningRate: 1, centered: true }), 3);
    assert.equal(createOptimizer({ name: 'adagrad', learningRate: 1 }).initialSlot(0), 0.1);
    assert.equal(createOptimizer({ name: 'adam', learningRate: 1 }).initialSlot(0), 0);
  });

  it('regularises by L2, except adamw, which decays apart; and not where decay is off', () => {
    assert.equal(createOptimizer(adam).conditioning(8, 1).weightDecay, 0.01);
    assert.equal(createOptimizer(adam).conditioning(8, 1, false).weightDecay, 0);
    assert.equal(createOptimizer(adamw).conditioning(8, 1).weightDecay, 0);
    const decayOf = (spec: OptimizerSpec, decay?: boolean) => {
      const rule = createOptimizer(spec).rule(0, decay);
      return rule.kind === 'adam' ? rule.decoupledDecay : assert.fail(rule.kind);
    };
    assert.equal(decayOf(adam), 0);
    assert.equal(decayOf(adamw), 0.01);
    assert.equal(decayOf(adamw, false), 0);
  });

  it('clips the global norm of the mean', () => {
    const clipped = createOptimizer({ name: 'sgd', learningRate: 1, clipNorm: 2 });
    // The sum has norm 40 over 4 examples: the mean has norm 10.
    assert.equal(clipped.normScale(1600, 4), 0.2);
    assert.equal(clipped.normScale(16, 4), 1);
    assert.equal(clipped.normScale(0, 4), 1);
    assert.equal(createOptimizer({ name: 'sgd', learningRate: 1 }).normScale(1e30, 4), 1);
  });

  it('multiplies its rate with the schedule and the decay of adamax', () => {
    const adamax = createOptimizer({ name: 'adamax', learningRate: 1, decay: 0.5 });
    assert.equal(adamax.rule(2).learningRate, 0.5);
    const warm = createOptimizer({ name: 'adam', learningRate: 1, warmupSteps: 4 });
    assert.equal(warm.rule(0).learningRate, 0.25);
  });

  it('takes a rate by which no weight moves any more for none', () => {
    const schedule = { kind: 'step', every: 100, factor: 0.1 } as const;
    const falling = createOptimizer({ name: 'adam', learningRate: 1, schedule });
    assert.ok(falling.rule(2900).learningRate > 0);
    // Without a bound, products with it are denormal from there on.
    for (let step = 3100; step < 6000; step += 100)
      assert.equal(falling.rule(step).learningRate, 0);
    const steered = createOptimizer({ name: 'sgd', learningRate: 1e-3 });
    assert.equal(steered.rule(0, true, 1e-28).learningRate, 0);
  });

  it('corrections do not depend on the order in which steps are asked for', () => {
    for (const beta of [0, 0.5, 0.9, 0.999]) {
      const inOrder = float32Corrections(beta);
      const expected = Array.from({ length: 300 }, (_, step) => inOrder(step));
      for (const step of [0, 7, 299, 3, 298]) {
        assert.equal(float32Corrections(beta)(step), expected[step]);
        assert.equal(inOrder(step), expected[step]);
        assert.ok(Math.abs(expected[step]! - realCorrections(beta)(step)) < 1e-5);
      }
      assert.equal(float32Corrections(beta)(10_000_000), 1);
    }
  });

  it('refuses a bad spec', () => {
    assert.throws(() => createOptimizer({ name: 'sgd', learningRate: 0 }), /learningRate is 0/);
  });
});
