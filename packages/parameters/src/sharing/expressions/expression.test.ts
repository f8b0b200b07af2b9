import assert from 'node:assert/strict';
import fc from 'fast-check';
import { evaluate } from './evaluate.js';
import {
  add,
  concat,
  type Expression,
  gather,
  kronecker,
  matmul,
  reshape,
  scale,
  shear,
  sizeOf,
  slice,
  stored,
  transpose,
} from './expression.js';

/** Values of a tensor: a different prime remainder for each element. */
const values = (name: string, size: number) =>
  Float64Array.from({ length: size }, (_, i) => ((i + name.length) * 7919) % 101);

function valuesOf(expression: Expression): Float64Array {
  return evaluate(expression, {
    stored: (name) => {
      const extents = name.split('x').map(Number);
      return values(name, sizeOf(extents));
    },
    constant: () => assert.fail('There is no constant.'),
  });
}

const tensor = (...shape: number[]) => stored(shape.join('x'), shape);

describe('expressions', () => {
  const matrices: Record<string, Expression> = {
    product: matmul(tensor(4, 3), tensor(3, 6)),
    'product of Kronecker': kronecker(tensor(2, 3), tensor(2, 2)),
    sum: add(tensor(4, 6), matmul(tensor(4, 2), tensor(2, 6))),
    'scaled rows': scale(matmul(tensor(4, 2), tensor(2, 6)), tensor(4, 1)),
    'scaled columns': scale(tensor(4, 6), tensor(1, 6)),
    map: gather(
      tensor(9),
      Int32Array.from({ length: 24 }, (_, i) => ((i * 5) % 19) - 9),
      [4, 6],
    ),
    shear: shear(tensor(6), 4, 6, { direction: -1 }),
  };
  for (const [name, matrix] of Object.entries(matrices))
    it(`transpose a ${name} as its values are`, () => {
      const whole = valuesOf(matrix);
      const turned = transpose(matrix);
      assert.deepEqual(turned.shape, [6, 4]);
      assert.deepEqual(
        valuesOf(turned),
        whole.map((_, i) => whole[(i % 4) * 6 + Math.floor(i / 4)]!),
      );
      assert.deepEqual(valuesOf(transpose(turned)), whole);
    });

  it('keep products that are transposed products, to be applied factor by factor', () => {
    assert.equal(transpose(matrices.product!).op, 'matmul');
    assert.equal(transpose(matrices['product of Kronecker']!).op, 'kronecker');
    assert.equal(transpose(matrices['scaled rows']!).op, 'scale');
  });

  it('are put together again from the parts that they are cut into', () => {
    const extent = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.array(extent, { minLength: 1, maxLength: 3 }), fc.nat(), (shape, drawn) => {
        const axis = drawn % shape.length;
        const whole = tensor(...shape);
        const parts = Array.from({ length: shape[axis]! }, (_, at) =>
          slice(
            whole,
            shape.map((_, i) => (i === axis ? at : 0)),
            shape.map((size, i) => (i === axis ? 1 : size)),
          ),
        );
        assert.deepEqual(valuesOf(concat(parts, axis)), valuesOf(whole));
      }),
    );
  });

  it('shear each row one further than the one before', () => {
    const t = values('7', 7);
    for (const direction of [1, -1] as const)
      for (const start of [0, 2, 9]) {
        const out = valuesOf(shear(tensor(7), 5, 6, { start, direction }));
        for (let r = 0; r < 5; r++)
          for (let c = 0; c < 6; c++)
            assert.equal(out[r * 6 + c], t[(start + c + direction * r + 70) % 7]);
      }
  });

  it('refuse shapes that do not fit', () => {
    assert.throws(() => matmul(tensor(2, 3), tensor(2, 3)), /matmul of \[2, 3\] and \[2, 3\]/);
    assert.throws(() => reshape(tensor(2, 3), [7]), RangeError);
    assert.throws(() => concat([tensor(2, 3), tensor(3, 2)], 0), RangeError);
    assert.throws(() => scale(tensor(2, 3), tensor(3, 1)), RangeError);
  });
});
