import assert from 'node:assert/strict';
import { parseInterval } from './interval.js';

describe('interval', () => {
  it('is a number of steps, or a time with its unit', () => {
    assert.deepEqual(parseInterval('500'), { steps: 500 });
    assert.deepEqual(parseInterval('250ms'), { ms: 250 });
    assert.deepEqual(parseInterval('1s'), { ms: 1000 });
    assert.deepEqual(parseInterval('1.5m'), { ms: 90_000 });
    assert.deepEqual(parseInterval(' 2h '), { ms: 7_200_000 });
  });

  it('is nothing else', () => {
    for (const text of ['', '0', '0s', '-1', '1.5', '5 m', 's', '1d', '1e3', 'Infinity', '1s2'])
      assert.equal(parseInterval(text), undefined, text);
  });
});
