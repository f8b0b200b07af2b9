import assert from 'node:assert/strict';
import { metricValues } from './metric-values.js';

/** R² of labels and predictions, from the sums that workers report. */
function determination(labels: readonly number[], predictions: readonly number[]): number {
  const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const sums = {
    'r2/count': labels.length,
    'r2/residual0': add(labels.map((label, at) => (label - predictions[at]!) ** 2)),
    'r2/total0': add(labels),
    'r2/square0': add(labels.map((label) => label * label)),
  };
  return metricValues(sums, labels.length, { r2: 'determination' }).r2!;
}

const repeated = (value: number, times: number) => Array.from({ length: times }, () => value);

describe('the R² of sums', () => {
  it('is what predictions explain of the variance of the labels', () => {
    assert.equal(determination([1, 2, 3], [1, 2, 3]), 1);
    assert.equal(determination([1, 2, 3], [2, 2, 2]), 0);
    assert.equal(determination([1, 2, 3], [1, 2, 4]), 0.5);
    assert.ok(Math.abs(determination([1e6, 1e6 + 1], [1e6, 1e6]) + 1) < 1e-3);
  });

  it('is 0 where all labels are the same, also where rounding gives them a variance', () => {
    for (const label of [0, 1, Math.fround(0.1), Math.fround(1e-3), 16_777_213])
      for (const times of [1, 10, 1000, 12_345])
        for (const off of [0, 1])
          assert.equal(
            determination(repeated(label, times), repeated(label + off, times)),
            0,
            `${times} labels ${label}, off by ${off}`,
          );
  });
});
