import assert from 'node:assert/strict';
import { pageAlignedFloats } from './page-aligned.js';

describe('page-aligned floats', () => {
  it('are as many zeros as were asked for', () => {
    for (const length of [0, 1, 16_383, 16_384, 16_385, 100_000]) {
      const floats = pageAlignedFloats(length);
      assert.equal(floats.length, length);
      assert.equal(floats.byteOffset, 0);
      assert.ok(floats.every((value) => value === 0));
    }
  });

  it('share no memory', () => {
    const [one, other] = [pageAlignedFloats(20_000), pageAlignedFloats(20_000)];
    one.fill(1);
    assert.ok(other.every((value) => value === 0));
  });
});
