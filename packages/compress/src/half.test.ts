import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromBrain, toBrainUp, toHalf } from './half.js';

/** By the definition of binary16. */
function numberOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

describe('float16', () => {
  it('gives every number that it has its own bits', () => {
    for (let bits = 0; bits < 0x10000; bits++)
      if (((bits >> 10) & 31) < 31) assert.equal(toHalf(numberOf(bits)), bits);
  });

  it('rounds to the nearer neighbour, and halfway to the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [numberOf(bits), numberOf(bits + 1)];
      const middle = (low + high) / 2;
      assert.equal(toHalf(middle), bits % 2 === 0 ? bits : bits + 1);
      assert.equal(toHalf(low + 0.49 * (high - low)), bits);
      assert.equal(toHalf(low + 0.51 * (high - low)), bits + 1);
    }
    assert.equal(toHalf(65_519), 0x7bff);
    assert.equal(toHalf(-65_520), 0xfc00);
  });
});

describe('the scale of a group', () => {
  it('is the next bfloat16 upwards', () => {
    fc.assert(
      fc.property(fc.float({ min: 0, max: 2 ** 100, noNaN: true }), (value) => {
        const bits = toBrainUp(value);
        assert.ok(fromBrain(bits) >= value);
        assert.ok(bits === 0 || fromBrain(bits - 1) < value);
      }),
    );
  });
});
