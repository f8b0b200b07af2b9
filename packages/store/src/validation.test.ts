import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import { OPTIMIZER_DEFAULTS } from './defaults.js';
import { checkOptimizer, validateOptimizer } from './validation.js';

describe('optimizer settings', () => {
  for (const [name, defaults] of Object.entries(OPTIMIZER_DEFAULTS)) {
    it(`${name} accepts its own settings, at their defaults`, () => {
      assert.deepEqual(validateOptimizer({ name, learningRate: 0.1, ...defaults }), []);
    });
  }

  const refused: [what: string, value: unknown, message: RegExp][] = [
    ['no object', 'adam', /optimizer is 'adam'; allowed: an object/],
    ['no name', {}, /optimizer.name is undefined; allowed: sgd, momentum/],
    ['an unknown name', { name: 'toString', learningRate: 1 }, /name is 'toString'; allowed: sgd/],
    ['no rate', { name: 'sgd' }, /learningRate is missing; allowed: a number above 0/],
    [
      'a negative rate',
      { name: 'sgd', learningRate: -1 },
      /learningRate is -1; allowed: .*above 0/,
    ],
    ['a rate of NaN', { name: 'sgd', learningRate: Number.NaN }, /learningRate is NaN/],
    ['a rate as text', { name: 'sgd', learningRate: '0.1' }, /learningRate is '0.1'/],
    [
      'an unknown key',
      { name: 'sgd', learningRate: 1, momentun: 0.9 },
      /unknown key momentun \(0.9\); allowed: name, schedule, learningRate/,
    ],
    [
      'a key of another optimizer',
      { name: 'sgd', learningRate: 1, beta1: 0.9 },
      /\(sgd\): unknown key beta1/,
    ],
    ['a key of Object', { name: 'sgd', learningRate: 1, toString: 1 }, /unknown key toString/],
    ['a beta of 1', { name: 'adam', learningRate: 1, beta1: 1 }, /beta1 is 1; allowed: .*below 1/],
    ['a beta that rounds to 1', { name: 'adam', learningRate: 1, beta2: 1 - 1e-9 }, /beta2 is/],
    ['half a warm-up step', { name: 'sgd', learningRate: 1, warmupSteps: 0.5 }, /a whole number/],
    ['a clip of 0', { name: 'sgd', learningRate: 1, clipNorm: 0 }, /clipNorm is 0/],
    [
      'an unknown schedule',
      { name: 'sgd', learningRate: 1, schedule: { kind: 'linear' } },
      /schedule.kind is 'linear'; allowed: constant, step, exponential, cosine/,
    ],
    [
      'a schedule without its period',
      { name: 'sgd', learningRate: 1, schedule: { kind: 'step', factor: 0.1 } },
      /schedule \(step\): every is missing/,
    ],
    [
      'a schedule with a foreign key',
      { name: 'sgd', learningRate: 1, schedule: { kind: 'cosine', steps: 3, every: 3 } },
      /schedule \(cosine\): unknown key every \(3\); allowed: kind, steps, floor/,
    ],
  ];
  for (const [what, value, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.match(validateOptimizer(value).join('\n'), message);
      assert.throws(
        () => checkOptimizer(value),
        (error) => error instanceof TuttiError && error.code === 'BAD_CONFIG',
      );
    });
  }

  it('reports all problems at once', () => {
    assert.equal(validateOptimizer({ name: 'adam', learningRate: 0, beta1: 2, x: 1 }).length, 3);
  });

  it('takes undefined for absent', () => {
    assert.deepEqual(validateOptimizer({ name: 'sgd', learningRate: 1, clipNorm: undefined }), []);
  });
});
