import assert from 'node:assert/strict';
import { evaluate } from './evaluate.js';
import { concat, stored } from './expression.js';

describe('the values of an expression', () => {
  it('joined along any dimension are where a plain loop finds them', () => {
    const parts = { a: 2, b: 1, c: 3 };
    for (const axis of [0, 1, 2]) {
      const shapeOf = (extent: number) => [2, 3, 4].with(axis, extent);
      const leaves = Object.entries(parts).map(([name, extent]) => stored(name, shapeOf(extent)));
      const valueAt = (name: string, [i, j, k]: readonly number[]) =>
        name.charCodeAt(0) * 1000 + i! * 100 + j! * 10 + k!;
      const whole = concat(leaves, axis);
      assert.deepEqual(whole.shape, shapeOf(6));
      const values = evaluate(whole, {
        stored: (name) => places(shapeOf(parts[name as 'a'])).map((at) => valueAt(name, at)),
        constant: () => assert.fail(),
      });
      const wanted = places(shapeOf(6)).map((at) => {
        const along = at[axis]!;
        const [name, before] = along < 2 ? ['a', 0] : along < 3 ? ['b', 2] : (['c', 3] as const);
        return valueAt(name as string, at.with(axis, along - (before as number)));
      });
      assert.deepEqual([...values], wanted);
    }
  });

  it('are not joined unless all other dimensions are the same', () => {
    assert.throws(() => concat([stored('a', [2, 3]), stored('b', [2, 4])], 0), /concat/);
  });
});

/** All places of a tensor, the last dimension fastest. */
function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, extent) => all.flatMap((at) => Array.from({ length: extent }, (_, i) => [...at, i])),
    [[]],
  );
}
