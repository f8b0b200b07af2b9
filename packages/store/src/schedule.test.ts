import assert from 'node:assert/strict';
import type { OptimizerSpec, Schedule } from '@tutti/protocol';
import fc from 'fast-check';
import { learningRateAt } from './schedule.js';

const spec = (schedule: Schedule, warmupSteps = 0): OptimizerSpec => ({
  name: 'sgd',
  learningRate: 0.5,
  schedule,
  warmupSteps,
});

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-12, `${actual} is not ${expected}`);

describe('learning rate', () => {
  it('is constant by default', () => {
    const plain: OptimizerSpec = { name: 'sgd', learningRate: 0.5 };
    for (const step of [0, 1, 1000]) assert.equal(learningRateAt(plain, step), 0.5);
    assert.equal(learningRateAt(spec({ kind: 'constant' }), 7), 0.5);
  });

  it('falls in steps', () => {
    const steps = spec({ kind: 'step', every: 3, factor: 0.1 });
    const rates = [0, 2, 3, 5, 6].map((step) => learningRateAt(steps, step));
    [0.5, 0.5, 0.05, 0.05, 0.005].forEach((rate, index) => {
      close(rates[index]!, rate);
    });
  });

  it('falls exponentially', () => {
    const exponential = spec({ kind: 'exponential', every: 10, factor: 0.25 });
    close(learningRateAt(exponential, 0), 0.5);
    close(learningRateAt(exponential, 5), 0.25);
    close(learningRateAt(exponential, 10), 0.125);
    close(learningRateAt(exponential, 25), 0.5 * Math.exp(2.5 * Math.log(0.25)));
  });

  it('falls along a power down to its floor, and stays there', () => {
    const line = spec({ kind: 'polynomial', steps: 10, floor: 0.2 });
    const square = spec({ kind: 'polynomial', steps: 10, power: 2 });
    for (const [step, rate] of [0.5, 0.46, 0.42].entries()) close(learningRateAt(line, step), rate);
    close(learningRateAt(line, 10), 0.1);
    close(learningRateAt(line, 99), 0.1);
    close(learningRateAt(square, 5), 0.5 * 0.25);
  });

  it('is what is said piece by piece', () => {
    const pieces = spec({ kind: 'piecewise', from: [3, 7], factors: [0.5, 0.1] });
    const rates = [0, 2, 3, 6, 7, 100].map((step) => learningRateAt(pieces, step));
    [0.5, 0.5, 0.25, 0.25, 0.05, 0.05].forEach((rate, at) => {
      close(rates[at]!, rate);
    });
  });

  it('begins a cosine again, longer and lower', () => {
    const again = spec({ kind: 'cosineRestarts', steps: 4, stretch: 2, factor: 0.5, floor: 0.1 });
    // Periods from 0, 4 and 12 on.
    const expected = [
      [0, 1],
      [2, 0.55],
      [4, 0.5],
      [8, 0.275],
      [12, 0.25],
    ] as const;
    for (const [step, share] of expected) close(learningRateAt(again, step), 0.5 * share);
    close(learningRateAt(again, 27), 0.05);
  });

  it('finds the period of a late step at once, where all are as long', () => {
    const again = spec({ kind: 'cosineRestarts', steps: 4, factor: 0.999 });
    for (const periods of [0, 1, 999, 12_345])
      assert.equal(learningRateAt(again, 4 * periods), 0.5 * 0.999 ** periods);
    // Period by period it would not come to an end.
    const shortest = spec({ kind: 'cosineRestarts', steps: 1 });
    assert.equal(learningRateAt(shortest, Number.MAX_SAFE_INTEGER), 0.5);
  });

  it('follows half a cosine down to its floor, and stays there', () => {
    const cosine = spec({ kind: 'cosine', steps: 100, floor: 0.2 });
    close(learningRateAt(cosine, 0), 0.5);
    close(learningRateAt(cosine, 50), 0.5 * 0.6);
    close(learningRateAt(cosine, 25), 0.5 * (0.2 + 0.8 * 0.5 * (1 + Math.SQRT1_2)));
    for (const step of [100, 101, 10_000]) close(learningRateAt(cosine, step), 0.1);
    close(learningRateAt(spec({ kind: 'cosine', steps: 100 }), 100), 0);
  });

  it('rises linearly during warm-up: never 0, full at its last step, then the schedule from 0', () => {
    const warm = spec({ kind: 'step', every: 2, factor: 0.5 }, 4);
    const expected = [0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125];
    expected.forEach((rate, step) => {
      close(learningRateAt(warm, step), rate);
    });
  });

  it('is never above the given one for factors up to 1, nor negative', () => {
    const kinds: fc.Arbitrary<Schedule> = fc.oneof(
      fc.constant<Schedule>({ kind: 'constant' }),
      fc.record({
        kind: fc.constantFrom('step' as const, 'exponential' as const),
        every: fc.integer({ min: 1, max: 1000 }),
        factor: fc.double({ min: 0.01, max: 1, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant('cosine' as const),
        steps: fc.integer({ min: 1, max: 1000 }),
        floor: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(kinds, fc.nat(100), fc.nat(5000), (schedule, warmupSteps, step) => {
        const rate = learningRateAt(spec(schedule, warmupSteps), step);
        assert.ok(rate >= 0 && rate <= 0.5 * (1 + 1e-12), `${rate}`);
      }),
    );
  });
});
