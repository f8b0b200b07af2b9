import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRandom } from './random.js';

describe('random', () => {
  it('gives equal sequences for equal keys only', () => {
    const draw = (...key: (string | number)[]) => {
      const random = createRandom(...key);
      return Array.from({ length: 8 }, () => random.uint32());
    };
    assert.deepEqual(draw('a', 1, 2), draw('a', 1, 2));
    assert.notDeepEqual(draw('a', 1, 2), draw('a', 12));
    assert.notDeepEqual(draw('a', 1), draw('a', '1'));
  });

  it('draws below a bound without bias', () => {
    const random = createRandom('bias');
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) counts[random.below(3)]!++;
    // Five standard deviations of a binomial with n = 30000, p = 1/3.
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 5 * 82);
  });

  it('refuses to draw below a bound that leaves nothing to draw', () => {
    const random = createRandom('nothing');
    for (const bound of [-1, 1.5, 0, Number.NaN, 2 ** 33])
      assert.throws(() => random.below(bound), RangeError, `${bound}`);
    assert.equal(random.below(1), 0);
    assert.ok(random.below(2 ** 32) >= 0);
  });

  it('shuffles into permutations', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.integer(), (length, seed) => {
        const items = createRandom(seed).shuffle(Uint32Array.from({ length }, (_, i) => i));
        assert.deepEqual(
          [...items].sort((a, b) => a - b),
          [...items.keys()],
        );
      }),
    );
  });

  it('stays in [0, 1)', () => {
    const random = createRandom('range');
    for (let i = 0; i < 10_000; i++) {
      const value = random.next();
      assert.ok(value >= 0 && value < 1);
    }
  });
});
