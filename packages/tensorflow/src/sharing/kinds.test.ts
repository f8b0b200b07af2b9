import assert from 'node:assert/strict';
import {
  basis,
  circulant,
  codebook,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  resolveSharing,
  rotated,
  type Sharing,
  type SharingRule,
  shared,
  skewSymmetric,
  symmetric,
  tie,
  toeplitz,
  vera,
  type WeightRole,
  type WeightUse,
} from '@tutti/parameters';
import { createRandom } from '@tutti/runtime';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { createSharedWeights } from './shared-weights.js';

/** The rule, the shape of the weight `w`, and how it is used in a product and for its rows. */
const kinds: Record<string, [SharingRule, number[], product: WeightUse, rows: WeightUse]> = {
  hashed: [hashed('w', { ratio: 1 / 4 }), [12, 8], 'expand', 'look up'],
  'hashed without signs': [
    hashed('w', { ratio: 1 / 4, sign: false }),
    [12, 8],
    'expand',
    'look up',
  ],
  'hashed in blocks': [hashed('w', { stored: 24, block: 4 }), [12, 8], 'expand', 'look up'],
  'hashed in blocks that do not fit': [
    hashed('w', { stored: 25, block: 5 }),
    [12, 8],
    'expand',
    'expand',
  ],
  shared: [shared('w', (r, c) => ((r * c) % 9) - 1), [12, 8], 'expand', 'look up'],
  sparse: [
    shared('w', {
      rows: Array.from({ length: 150 }, (_, i) => (i * 5) % 96),
      columns: Array.from({ length: 150 }, (_, i) => (i * 7) % 10),
      values: Array.from({ length: 150 }, (_, i) => Math.sin(i)),
    }),
    [12, 8],
    'expand',
    'expand',
  ],
  circulant: [circulant('w'), [12, 8], 'expand', 'expand'],
  'block-circulant': [circulant('w', { block: 4 }), [12, 8], 'expand', 'expand'],
  'block-circulant filters': [circulant('w', { block: 3 }), [3, 2, 4, 5], 'expand', 'expand'],
  toeplitz: [toeplitz('w'), [12, 8], 'expand', 'expand'],
  hankel: [hankel('w'), [8, 12], 'expand', 'expand'],
  symmetric: [symmetric('w'), [9, 9], 'expand', 'look up'],
  skewSymmetric: [skewSymmetric('w'), [9, 9], 'expand', 'look up'],
  rotated: [rotated('w', { group: 'p4m', input: 'plane' }), [3, 3, 2, 8], 'expand', 'expand'],
  kronecker: [kronecker('w', { left: [3, 4] }), [12, 8], 'apply', 'expand'],
  'lowRank, small': [lowRank('w', { rank: 2 }), [12, 8], 'apply', 'look up'],
  'lowRank, large': [lowRank('w', { rank: 8 }), [12, 8], 'expand', 'look up'],
  'lowRank filters': [lowRank('w', { rank: 2 }), [3, 2, 4, 5], 'expand', 'expand'],
  basis: [basis('w', { rank: 2 }), [12, 8], 'apply', 'look up'],
  lora: [lora('w', { rank: 1, alpha: 3 }), [12, 8], 'apply', 'look up'],
  vera: [vera('w', { rank: 2 }), [16, 12], 'apply', 'look up'],
  pruned: [pruned('w', { ratio: 1 / 3 }), [12, 8], 'expand', 'look up'],
  codebook: [codebook('w', { values: 5 }), [12, 8], 'expand', 'look up'],
  'product quantisation': [
    codebook('w', { values: 5, dimension: 4 }),
    [12, 8],
    'expand',
    'look up',
  ],
};

const random = createRandom('kinds');
const drawn = (shape: readonly number[]) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5);

/** What the dense sharing matrix makes of dL/dW, a column for each stored value of one parameter. */
function reduced(
  sharing: Sharing,
  stored: Record<string, Float32Array>,
  name: string,
  gradient: ArrayLike<number>,
): number[] {
  const zero = sharing.expand('w', { ...stored, [name]: stored[name]!.map(() => 0) });
  return Array.from(stored[name]!, (_, column) => {
    const unit = stored[name]!.map((_, i) => (i === column ? 1 : 0));
    const values = sharing.expand('w', { ...stored, [name]: unit });
    return values.reduce((sum, value, i) => sum + (value - zero[i]!) * gradient[i]!, 0);
  });
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string) {
  assert.equal(actual.length, expected.length, what);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < actual.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!);
    assert.ok(
      off <= 1e-6 * largest,
      `${what} ${i}: ${actual[i]}, not ${expected[i]} (of ${largest})`,
    );
  }
}

describe('every kind of sharing in TensorFlow', () => {
  for (const [name, [rule, shape, product, rows]] of Object.entries(kinds)) {
    const sharing = resolveSharing([{ name: 'w', shape }], [rule], () => ({ w: drawn(shape) }));
    const stored = Object.fromEntries(
      sharing.parameters.map((each) => [each.name, drawn(each.shape)]),
    );
    const weight = sharing.expand('w', stored);

    /** The values of a function of the open weight, and the gradients of its sum with these factors. */
    function differentiated(
      role: WeightRole,
      compute: (open: ReturnType<ReturnType<typeof createSharedWeights>['open']>) => tf.Tensor,
      factors: Float32Array,
    ) {
      const weights = createSharedWeights(sharing, [role]);
      try {
        return tidied(() => {
          const tensors = sharing.parameters.map((each) =>
            tf.tensor(stored[each.name]!.slice(), [...each.shape]),
          );
          let values: ArrayLike<number> = [];
          const { grads } = tf.engine().gradients(() => {
            const open = weights.open(tensors);
            const result = compute(open);
            values = result.dataSync();
            return result.reshape([-1]).mul(tf.tensor1d(factors)).sum();
          }, tensors);
          return { use: weights.uses[0], values, gradients: grads.map((grad) => grad.dataSync()) };
        });
      } finally {
        weights.dispose();
      }
    }

    function check(
      got: ReturnType<typeof differentiated>,
      use: WeightUse,
      values: ArrayLike<number>,
      weightGradient: ArrayLike<number>,
    ) {
      assert.equal(got.use, use);
      assertNear(got.values, values, 'value');
      for (const [at, parameter] of sharing.parameters.entries())
        assertNear(
          got.gradients[at]!,
          reduced(sharing, stored, parameter.name, weightGradient),
          `gradient of ${parameter.name}`,
        );
    }

    it(`${name}: the weight and its gradient are those of the dense sharing matrix`, () => {
      const factors = drawn(shape);
      check(
        differentiated('other', (open) => open.weight(0), factors),
        'expand',
        weight,
        factors,
      );
    });

    if (shape.length !== 2) continue;
    const [inputs, outputs] = shape as [number, number];

    it(`${name}: a product with it, too (${product})`, () => {
      const x = drawn([6, inputs]);
      const factors = drawn([6, outputs]);
      const values = Float64Array.from({ length: 6 * outputs }, (_, i) => {
        const [n, c] = [Math.floor(i / outputs), i % outputs];
        return Array.from(
          { length: inputs },
          (_, r) => x[n * inputs + r]! * weight[r * outputs + c]!,
        ).reduce((a, b) => a + b, 0);
      });
      const gradient = Float64Array.from({ length: inputs * outputs }, (_, i) => {
        const [r, c] = [Math.floor(i / outputs), i % outputs];
        return Array.from(
          { length: 6 },
          (_, n) => x[n * inputs + r]! * factors[n * outputs + c]!,
        ).reduce((a, b) => a + b, 0);
      });
      const compute = differentiated(
        'product',
        (open) => {
          const tensor = tf.tensor(x.slice(), [2, 3, inputs]);
          return (
            open.factored(0)?.apply(tensor) ?? tensor.reshape([6, inputs]).matMul(open.weight(0))
          );
        },
        factors,
      );
      check(compute, product, values, gradient);
    });

    it(`${name}: rows of it, too (${rows})`, () => {
      const ids = Int32Array.of(3, 0, 3, inputs - 1, 5);
      const factors = drawn([5, outputs]);
      const values = Float64Array.from(
        { length: 5 * outputs },
        (_, i) => weight[ids[Math.floor(i / outputs)]! * outputs + (i % outputs)]!,
      );
      const gradient = new Float64Array(inputs * outputs);
      for (const [n, id] of ids.entries())
        for (let c = 0; c < outputs; c++) gradient[id * outputs + c]! += factors[n * outputs + c]!;
      const got = differentiated(
        'rows',
        (open) => {
          const tensor = tf.tensor1d(ids, 'int32');
          return open.factored(0)?.lookUp(tensor) ?? open.weight(0).gather(tensor);
        },
        factors,
      );
      check(got, rows, values, gradient);
    });
  }

  it('a tie is stored as it is', () => {
    const shapes = [
      { name: 'w', shape: [3, 2] },
      { name: 'v', shape: [3, 2] },
    ];
    const weights = createSharedWeights(resolveSharing(shapes, [tie('w', 'v')]), [
      'product',
      'rows',
    ]);
    assert.deepEqual(weights.uses, ['stored', 'stored']);
  });
});
