import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import { sizeOf } from '../expressions/expression.js';
import { resolveSharing, type Sharing } from '../resolve.js';
import type { KindRule } from '../rule.js';
import { normal, spreadOf } from '../values.js';
import {
  basis,
  circulant,
  codebook,
  frozen,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  rotated,
  shared,
  skewSymmetric,
  symmetric,
  toeplitz,
  vera,
} from './index.js';

const drawn = (shape: readonly number[], deviation = 1, key = 'weight') =>
  normal(createRandom(key, ...shape), sizeOf(shape), deviation);

/** One weight `w`, the rule on it, and its first values. */
function only(rule: KindRule, shape: readonly number[], values = drawn(shape)): Sharing {
  return resolveSharing([{ name: 'w', shape }], [rule], () => ({ w: values }));
}

const storedOf = (sharing: Sharing, key = 'stored') =>
  Object.fromEntries(
    sharing.parameters.map(({ name, shape }) => [name, drawn(shape, 1, `${key} ${name}`)]),
  );

/** The dense sharing matrix of one stored tensor, column by column; the others as they are. */
function jacobian(
  sharing: Sharing,
  stored: Record<string, Float32Array>,
  name: string,
): Float64Array[] {
  const zero = sharing.expand('w', { ...stored, [name]: new Float32Array(stored[name]!.length) });
  return Array.from(stored[name]!, (_, column) => {
    const unit = stored[name]!.map((_, i) => (i === column ? 1 : 0));
    return sharing.expand('w', { ...stored, [name]: unit }).map((value, i) => value - zero[i]!);
  });
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance,
      `${i}: ${actual[i]}, not ${expected[i]}`,
    );
}

/** Each kind against the formula of its paper: what element [r, c] of a weight [rows, columns] is. */
const formulas: Record<
  string,
  [KindRule, [number, number], (t: Record<string, Float32Array>, r: number, c: number) => number]
> = {
  circulant: [circulant('w'), [5, 5], ({ w }, r, c) => w![(c - r + 5) % 5]!],
  'circulant, longer than wide': [circulant('w'), [6, 4], ({ w }, r, c) => w![(c - r + 6) % 6]!],
  'block-circulant': [
    circulant('w', { block: 3 }),
    [6, 9],
    ({ w }, r, c) =>
      w![(Math.floor(r / 3) * 3 + Math.floor(c / 3)) * 3 + ((((c - r) % 3) + 3) % 3)]!,
  ],
  'block-circulant, cut': [
    circulant('w', { ratio: 1 / 4 }),
    [6, 9],
    ({ w }, r, c) =>
      w![(Math.floor(r / 4) * 3 + Math.floor(c / 4)) * 4 + ((((c - r) % 4) + 4) % 4)]!,
  ],
  toeplitz: [toeplitz('w'), [4, 6], ({ w }, r, c) => w![c - r + 3]!],
  hankel: [hankel('w'), [4, 6], ({ w }, r, c) => w![r + c]!],
  symmetric: [
    symmetric('w'),
    [4, 4],
    ({ w }, r, c) => w![(Math.max(r, c) * (Math.max(r, c) + 1)) / 2 + Math.min(r, c)]!,
  ],
  skewSymmetric: [
    skewSymmetric('w'),
    [4, 4],
    ({ w }, r, c) => {
      const [high, low] = [Math.max(r, c), Math.min(r, c)];
      return r === c ? 0 : Math.sign(r - c) * w![(high * (high - 1)) / 2 + low]!;
    },
  ],
  kronecker: [
    kronecker('w', { left: [2, 3] }),
    [4, 6],
    (t, r, c) =>
      t['w/left']![Math.floor(r / 2) * 3 + Math.floor(c / 2)]! *
      t['w/right']![(r % 2) * 2 + (c % 2)]!,
  ],
  lowRank: [
    lowRank('w', { rank: 2 }),
    [4, 6],
    (t, r, c) =>
      t['w/left']![r * 2]! * t['w/right']![c]! + t['w/left']![r * 2 + 1]! * t['w/right']![6 + c]!,
  ],
  'shared by a function': [
    shared('w', (r, c) => (r + c) % 3),
    [4, 6],
    ({ w }, r, c) => w![(r + c) % 3]!,
  ],
  'shared by indices with factors': [
    shared('w', {
      index: (r, c) => ((r + c) % 4) - 1,
      factor: Float32Array.from({ length: 24 }, (_, i) => i),
    }),
    [4, 6],
    ({ w }, r, c) => ((r + c) % 4 === 0 ? 0 : (r * 6 + c) * w![((r + c) % 4) - 1]!),
  ],
  'shared by a sparse matrix': [
    shared('w', { rows: [0, 0, 7, 23, 0], columns: [2, 0, 1, 2, 1], values: [2, -1, 3, 0.5, 4] }),
    [4, 6],
    ({ w }, r, c) =>
      ({ 0: 2 * w![2]! - w![0]! + 4 * w![1]!, 7: 3 * w![1]!, 23: 0.5 * w![2]! })[r * 6 + c] ?? 0,
  ],
};

describe('kinds of sharing', () => {
  for (const [name, [rule, shape, formula]] of Object.entries(formulas))
    it(`${name} follows its formula`, () => {
      const sharing = only(rule, shape);
      const stored = storedOf(sharing);
      const expected = Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
        formula(stored, Math.floor(i / shape[1]), i % shape[1]),
      );
      assertNear(sharing.expand('w', stored), expected);
    });

  it('hashed draws every value about equally often, and signs, in blocks that stay together', () => {
    const sharing = only(hashed('w', { ratio: 1 / 8, block: 4 }), [32, 33]);
    assert.deepEqual(sharing.parameters[0]!.shape, [33, 4]);
    const numbers = Float32Array.from({ length: 132 }, (_, i) => i + 1);
    const weight = sharing.expand('w', { w: numbers });
    const uses = new Float64Array(132);
    for (const [i, value] of weight.entries()) {
      uses[Math.abs(value) - 1]! += 1;
      if (i % 4 > 0) assert.equal(value, weight[i - 1]! + Math.sign(value));
    }
    assert.ok(Math.min(...uses) >= 1 && Math.max(...uses) <= 24);
    const negative = weight.filter((value) => value < 0).length / weight.length;
    assert.ok(negative > 0.4 && negative < 0.6);
  });

  it('circulant and its like have a matrix for each place of a filter', () => {
    for (const [rule, size] of [
      [circulant('w', { block: 2 }), 9 * 2 * 3 * 2],
      [toeplitz('w'), 9 * 9],
      [hankel('w'), 9 * 9],
    ] as const) {
      const sharing = only(rule, [3, 3, 4, 6]);
      assert.equal(sizeOf(sharing.parameters[0]!.shape), size);
      const stored = storedOf(sharing);
      const weight = sharing.expand('w', stored);
      const each = only(rule, [4, 6]);
      for (let place = 0; place < 9; place++)
        assertNear(
          weight.subarray(place * 24, (place + 1) * 24),
          each.expand('w', { w: stored.w!.subarray((place * size) / 9, ((place + 1) * size) / 9) }),
        );
    }
  });

  for (const group of ['p4', 'p4m'] as const)
    it(`rotated ${group} turns what it gives when its input is turned`, () => {
      const n = group === 'p4' ? 4 : 8;
      const one = only(rotated('w', { group, input: 'plane' }), [3, 3, 2, n]);
      const two = only(rotated('w', { group, input: 'group' }), [3, 3, n, n]);
      const first = one.expand('w', storedOf(one));
      const second = two.expand('w', storedOf(two, 'second'));
      const size = 7;
      const image = drawn([size, size, 2]);
      const net = (x: ArrayLike<number>) =>
        convolve(convolve(x, size, first, 3, 2, n), size, second, 3, n, n);
      const plain = net(image);
      const turned = net(turn(image, size, 2));
      // Turned back, the orientations have moved among the channels, and nothing else has happened.
      const sums = (x: ArrayLike<number>) =>
        Float64Array.from({ length: size * size }, (_, i) =>
          Array.from({ length: n }, (_, g) => Math.tanh(x[i * n + g]!)).reduce((a, b) => a + b, 0),
        );
      assertNear(sums(turned), turn(sums(plain), size, 1), 1e-9);
      if (group === 'p4m')
        assertNear(sums(net(mirror(image, size, 2))), mirror(sums(plain), size, 1), 1e-9);
      assert.ok(spreadOf(plain) > 0.1);
    });

  it('rotated shares a bias among the orientations', () => {
    const sharing = only(rotated('w', { group: 'p4', input: 'plane' }), [8]);
    assert.deepEqual([...sharing.expand('w', { w: [1, 2] })], [1, 2, 1, 2, 1, 2, 1, 2]);
  });

  it('basis has one matrix in common and one of each', () => {
    const weights = [
      { name: 'a', shape: [3, 2] },
      { name: 'b', shape: [3, 4] },
    ];
    const sharing = resolveSharing(weights, [basis(['a', 'b'], { rank: 2 })]);
    assert.deepEqual(
      sharing.parameters.map(({ name, shape }) => [name, shape]),
      [
        ['a/basis', [3, 2]],
        ['a/coefficients', [2, 2]],
        ['b/coefficients', [2, 4]],
      ],
    );
    const stored = storedOf(sharing);
    const expected = Float64Array.from({ length: 12 }, (_, i) => {
      const [r, c] = [Math.floor(i / 4), i % 4];
      return [0, 1].reduce(
        (sum, k) => sum + stored['a/basis']![r * 2 + k]! * stored['b/coefficients']![k * 4 + c]!,
        0,
      );
    });
    assertNear(sharing.expand('b', stored), expected);
  });

  it('basis has the coefficients of a weight decay as the weight does', () => {
    const weights = [
      { name: 'a', shape: [3, 2], decay: false },
      { name: 'b', shape: [3, 4] },
    ];
    const { parameters } = resolveSharing(weights, [basis(['b', 'a'], { rank: 2 })]);
    assert.deepEqual(
      parameters.map(({ name, decay }) => [name, decay]),
      [
        ['b/basis', undefined],
        ['b/coefficients', undefined],
        ['a/coefficients', false],
      ],
    );
  });

  it('lora and vera begin at the frozen weight, and change it by a product', () => {
    const frozenValues = drawn([4, 6]);
    for (const rule of [lora('w', { rank: 2, alpha: 6 }), vera('w', { rank: 3 })]) {
      const sharing = only(rule, [4, 6], frozenValues);
      assertNear(sharing.expand('w', sharing.initial({ w: frozenValues }, 1)), frozenValues);
    }
    const sharing = only(lora('w', { rank: 2, alpha: 6 }), [4, 6], frozenValues);
    const stored = storedOf(sharing);
    const expected = frozenValues.map((value, i) => {
      const [r, c] = [Math.floor(i / 6), i % 6];
      const [down, up] = [stored['w/down']!, stored['w/up']!];
      return value + 3 * (down[r * 2]! * up[c]! + down[r * 2 + 1]! * up[6 + c]!);
    });
    assertNear(sharing.expand('w', stored), expected, 1e-5);
    const small = only(vera('w', { rank: 3 }), [4, 6], frozenValues);
    assert.equal(
      small.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      9,
    );
    const ones = { 'w/inner': [0, 1, 0], 'w/outer': [0, 0, 2, 0, 0, 0] };
    const change = small.expand('w', ones).map((value, i) => value - frozenValues[i]!);
    const column = change.filter((_, i) => i % 6 === 2);
    assert.ok(column.every((value) => value !== 0) && change.filter(Boolean).length === 4);
  });

  it('frozen stores nothing', () => {
    const values = drawn([2, 2]);
    const sharing = only(frozen('w'), [2, 2], values);
    assert.deepEqual(sharing.parameters, []);
    assertNear(sharing.expand('w', {}), values);
  });

  it('codebook reads the entries that an index names, which begin at the means of their readers', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const rule = codebook('w', { values: 3, dimension: 2, index: [2, -1, 2, 0] });
    const sharing = only(rule, [2, 4], values);
    assert.deepEqual(
      sharing.parameters.map(({ shape }) => shape),
      [[3, 2]],
    );
    const stored = sharing.initial({ w: values }, 1);
    assert.deepEqual([...stored.w!], [7, 8, 0, 0, 3, 4]);
    assert.deepEqual([...sharing.expand('w', stored)], [3, 4, 0, 0, 3, 4, 7, 8]);
    const other = codebook('w', { values: 3, dimension: 2, index: [2, -1, 2, 1] });
    assert.notEqual(only(other, [2, 4], values).digest, sharing.digest);

    const refuse = (index: number[], message: RegExp) =>
      assert.throws(() => only(codebook('w', { values: 3, dimension: 2, index }), [2, 4], values), {
        code: 'BAD_PROGRAM',
        message,
      });
    refuse([0, 1], /The index of codebook\("w"\) has 2 numbers for 4 runs of 2/);
    for (const entry of [3, -2, 0.5])
      refuse([0, 1, 2, entry], new RegExp(`names entry ${entry} of 3`));
  });

  it('pruned keeps the largest, and codebook the means of clusters', () => {
    const values = Float32Array.of(0.1, -3, 0, 2, 0.2, -2.9, 2.1, 0.05);
    const kept = only(pruned('w', { stored: 4 }), [2, 4], values);
    assertNear(
      kept.expand('w', kept.initial({ w: values }, 1)),
      [0, -3, 0, 2, 0, -2.9, 2.1, 0].map(Math.fround),
    );
    const masked = only(pruned('w', { mask: [1, 0, 0, 0, 0, 0, 0, 1] }), [2, 4], values);
    assertNear(
      masked.expand('w', masked.initial({ w: values }, 1)),
      [0.1, 0, 0, 0, 0, 0, 0, 0.05].map(Math.fround),
    );
    const clustered = only(codebook('w', { values: 3 }), [2, 4], values);
    const means = [0.35 / 3, -2.95, 0, 2.05];
    assertNear(
      clustered.expand('w', clustered.initial({ w: values }, 1)),
      [means[0]!, means[1]!, 0, means[3]!, means[0]!, means[1]!, means[3]!, means[0]!],
      1e-6,
    );
    const vectors = only(
      codebook('w', { values: 2, dimension: 2 }),
      [2, 4],
      Float32Array.of(1, 2, 5, 6, 1, 2, 5, 8),
    );
    assert.deepEqual(vectors.parameters[0]!.shape, [2, 2]);
    assertNear(vectors.expand('w', vectors.initial({}, 1)), [1, 2, 5, 7, 1, 2, 5, 7]);
  });

  const pretrained = { from: 'model' } as const;
  const fitted: Record<string, [KindRule, number[]]> = {
    hashed: [hashed('w', { ratio: 1 / 4, ...pretrained }), [8, 8]],
    circulant: [circulant('w', { block: 4, ...pretrained }), [8, 8]],
    toeplitz: [toeplitz('w', pretrained), [8, 8]],
    hankel: [hankel('w', pretrained), [8, 8]],
    symmetric: [symmetric('w', pretrained), [8, 8]],
    skewSymmetric: [skewSymmetric('w', pretrained), [8, 8]],
    pruned: [pruned('w', { ratio: 1 / 2, ...pretrained }), [8, 8]],
    codebook: [codebook('w', { values: 4, ...pretrained }), [8, 8]],
    rotated: [rotated('w', { group: 'p4', input: 'group', ...pretrained }), [3, 3, 4, 4]],
    sparse: [
      shared(
        'w',
        {
          rows: Array.from({ length: 192 }, (_, i) => i % 64),
          columns: Array.from({ length: 192 }, (_, i) => (i * 7) % 11),
          values: drawn([192]),
        },
        pretrained,
      ),
      [8, 8],
    ],
  };
  for (const [name, [rule, shape]] of Object.entries(fitted))
    it(`${name} stores what comes closest to pretrained weights`, () => {
      const values = drawn(shape);
      const sharing = only(rule, shape, values);
      const stored = sharing.initial({ w: values }, 1);
      // The residual of the least squares is orthogonal to every column of the sharing matrix.
      const error = sharing.expand('w', stored).map((value, i) => value - values[i]!);
      for (const column of jacobian(sharing, stored, 'w'))
        assert.ok(Math.abs(column.reduce((sum, value, i) => sum + value * error[i]!, 0)) < 1e-5);
    });

  it('products store what comes closest to pretrained weights', () => {
    const shape = [12, 9];
    // Singular values 9, 8, ... 1 in known directions.
    const values = new Float32Array(108);
    const unit = (n: number, k: number) =>
      Float64Array.from(
        { length: n },
        (_, i) => Math.sqrt((k ? 2 : 1) / n) * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n)),
      );
    for (let k = 0; k < 9; k++) {
      const [u, v] = [unit(12, k), unit(9, k)];
      for (let i = 0; i < 108; i++) values[i]! += (9 - k) * u[Math.floor(i / 9)]! * v[i % 9]!;
    }
    const missed = (sharing: Sharing) => {
      const weight = sharing.expand('w', sharing.initial({ w: values }, 1));
      return weight.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0);
    };
    // Eckart and Young: the squares of the singular values that are left out.
    const left = 6 ** 2 + 5 ** 2 + 4 ** 2 + 3 ** 2 + 2 ** 2 + 1;
    assert.ok(
      Math.abs(missed(only(lowRank('w', { rank: 3, ...pretrained }), shape, values)) - left) < 1e-3,
    );
    assert.ok(
      Math.abs(missed(only(basis('w', { rank: 3, ...pretrained }), shape, values)) - left) < 1e-3,
    );
    // A product of Kronecker is found again.
    const product = only(kronecker('w', { left: [3, 3] }), shape);
    const exact = Float32Array.from(product.expand('w', storedOf(product)));
    const found = only(kronecker('w', { left: [3, 3], ...pretrained }), shape, exact);
    assertNear(found.expand('w', found.initial({ w: exact }, 1)), exact, 1e-5);
  });

  it('products that begin at 0, or with fewer directions than they have, can be trained in all of them', () => {
    const [rows, columns] = [6, 4];
    const zeros = new Float32Array(rows * columns);
    // Of rank 1.
    const thin = zeros.map((_, i) => (1 + Math.floor(i / columns)) * ((i % columns) - 1));
    const rank = { rank: 3 };
    const products: readonly [string, KindRule, string, Float32Array][] = [
      ['lowRank', lowRank('w', rank), 'w/right', zeros],
      ['basis', basis('w', rank), 'w/coefficients', zeros],
      ['kronecker', kronecker('w'), 'w/right', zeros],
      ['lowRank of zeros', lowRank('w', { ...rank, ...pretrained }), 'w/right', zeros],
      ['basis of zeros', basis('w', { ...rank, ...pretrained }), 'w/coefficients', zeros],
      ['kronecker of zeros', kronecker('w', pretrained), 'w/right', zeros],
      ['lowRank of one direction', lowRank('w', { ...rank, ...pretrained }), 'w/right', thin],
      ['a wide basis', basis('w', { rank: 6, ...pretrained }), 'w/coefficients', thin],
    ];
    for (const [name, rule, right, values] of products) {
      const sharing = only(rule, [rows, columns], values);
      const stored = sharing.initial({ w: values }, 1);
      assertNear(sharing.expand('w', stored), values, 1e-5);
      for (const [at, column] of jacobian(sharing, stored, right).entries())
        assert.ok(spreadOf(column) > 1e-3, `${name}: ${right}[${at}]`);
    }
  });

  it('a basis whose first weight begins at 0 leaves the others their spread', () => {
    const weights = ['a', 'b'].map((name) => ({ name, shape: [16, 16] }));
    const values = { a: new Float32Array(256), b: drawn([16, 16], 0.02) };
    const sharing = resolveSharing(weights, [basis(['a', 'b'], { rank: 8 })]);
    const spread = spreadOf(sharing.expand('b', sharing.initial(values, 1)));
    assert.ok(spread > 0.01 && spread < 0.04, `${spread}`);
  });

  it('fresh weights have the spread of their own initialiser, whatever stores them', () => {
    const shape = [64, 64];
    const values = drawn(shape, 0.02);
    const sparse = Array.from({ length: 3 * 4096 }, (_, i) => i);
    const random = createRandom('columns');
    const rules: Record<string, KindRule> = {
      hashed: hashed('w', { ratio: 1 / 8 }),
      blocks: hashed('w', { ratio: 1 / 8, block: 8 }),
      circulant: circulant('w'),
      toeplitz: toeplitz('w'),
      symmetric: symmetric('w'),
      kronecker: kronecker('w'),
      lowRank: lowRank('w', { ratio: 1 / 4 }),
      basis: basis('w', { rank: 16 }),
      sparse: shared('w', {
        rows: sparse.map((i) => i % 4096),
        columns: sparse.map(() => random.below(500)),
        values: drawn([sparse.length], 0.3),
      }),
    };
    for (const [name, rule] of Object.entries(rules)) {
      const sharing = only(rule, shape, values);
      const spread = spreadOf(sharing.expand('w', sharing.initial({ w: values }, 1)));
      assert.ok(spread > 0.015 && spread < 0.027, `${name}: ${spread}`);
    }
  });
});

/** Correlation with zero padding, as convolutions of networks are. */
function convolve(
  x: ArrayLike<number>,
  size: number,
  filter: Float64Array,
  k: number,
  ins: number,
  outs: number,
) {
  const out = new Float64Array(size * size * outs);
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++)
      for (let a = 0; a < k; a++)
        for (let b = 0; b < k; b++) {
          const [y, z] = [r + a - (k >> 1), c + b - (k >> 1)];
          if (y < 0 || z < 0 || y >= size || z >= size) continue;
          for (let i = 0; i < ins; i++)
            for (let o = 0; o < outs; o++)
              out[(r * size + c) * outs + o]! +=
                x[(y * size + z) * ins + i]! * filter[((a * k + b) * ins + i) * outs + o]!;
        }
  return out;
}

/** A quarter turn. */
function turn(x: ArrayLike<number>, size: number, channels: number): Float64Array {
  return moved(x, size, channels, (r, c) => [c, size - 1 - r]);
}

function mirror(x: ArrayLike<number>, size: number, channels: number): Float64Array {
  return moved(x, size, channels, (r, c) => [r, size - 1 - c]);
}

function moved(
  x: ArrayLike<number>,
  size: number,
  channels: number,
  from: (r: number, c: number) => [number, number],
): Float64Array {
  return Float64Array.from({ length: size * size * channels }, (_, i) => {
    const place = Math.floor(i / channels);
    const [r, c] = from(Math.floor(place / size), place % size);
    return x[(r * size + c) * channels + (i % channels)]!;
  });
}
