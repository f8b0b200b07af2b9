import assert from 'node:assert/strict';
import fc from 'fast-check';
import { median, medianSpeed } from './median.js';

const times = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 9 });

describe('the median', () => {
  it('has as many values below it as above, give or take the one in the middle', () => {
    fc.assert(
      fc.property(times, (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        assert.ok(values.includes(middle));
        assert.ok(below <= (values.length - 1) / 2 && above <= values.length / 2);
      }),
    );
    assert.equal(median([]), 0);
  });

  it('of speeds belongs to the same worker as that of the times', () => {
    fc.assert(
      fc.property(times, (values) => {
        assert.equal(medianSpeed(values.map((value) => 1 / value)), 1 / median(values));
      }),
    );
    assert.equal(medianSpeed([]), undefined);
  });
});
