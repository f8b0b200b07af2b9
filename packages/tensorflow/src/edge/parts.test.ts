import assert from 'node:assert/strict';
import { type LayerSpec, type MadeWeight, writeModel } from '@tutti/compress';
import { type ReadOptions, readModel } from '@tutti/edge';
import { sharing as computing } from '@tutti/edge/sharing';
import {
  basis,
  circulant,
  codebook,
  type Expression,
  evaluate,
  frozen,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  resolveSharing,
  rotated,
  type Shape,
  type Sharing,
  type SharingRule,
  shared,
  sizeOf,
  skewSymmetric,
  symmetric,
  tie,
  toeplitz,
  vera,
} from '@tutti/parameters';
import { createRandom } from '@tutti/runtime';
import fc from 'fast-check';
import { createParts } from './parts.js';

type Stored = Readonly<Record<string, Float32Array>>;

const matrixOf = (shape: Shape) => {
  const columns = shape.at(-1)!;
  return [sizeOf(shape) / columns, columns] as const;
};

/** One file of all weights, each a table; the one that is looked at is looked up, row by row. */
function fileOf(sharing: Sharing, stored: Stored, shown: string) {
  const placed = createParts(sharing, stored);
  const [rows] = matrixOf(sharing.weights.find(({ weight }) => weight === shown)!.shape);
  const zero = {
    kind: 'affine',
    weights: [new Float32Array(rows), new Float32Array(rows)],
  } as const;
  const tables = sharing.weights.map(({ weight, shape, expression }): LayerSpec => {
    const made: MadeWeight = { ...placed(expression), alone: new Float32Array(sizeOf(shape)) };
    return {
      kind: 'embedding',
      inputs: [weight === shown ? 0 : 1],
      numbers: [...matrixOf(shape)],
      weights: [made],
    };
  });
  const at = 2 + sharing.weights.findIndex(({ weight }) => weight === shown);
  const last: LayerSpec = {
    kind: 'reshape',
    inputs: [at],
    numbers: matrixOf(sharing.weights[at - 2]!.shape),
  };
  return writeModel({ input: [rows], layers: [zero, ...tables, last] });
}

function valuesFor(sharing: Sharing): Stored {
  const random = createRandom('values');
  const each = ({ name, shape }: { name: string; shape: Shape }) =>
    [name, Float32Array.from({ length: sizeOf(shape) }, () => random.next() - 0.5)] as const;
  return Object.fromEntries(sharing.parameters.map(each));
}

const normal = createRandom('first');
const first = (size: number) => Float32Array.from({ length: size }, () => normal.next() - 0.5);

interface Case {
  readonly weights: Readonly<Record<string, Shape>>;
  readonly rules: readonly SharingRule[];
  /** The most bytes that the file has besides 4 for each stored value. */
  readonly besides: number;
  /** Whether `@tutti/edge` alone reads it. */
  readonly alone?: true;
}

const square = { w: [24, 24] };
const CASES: Readonly<Record<string, Case>> = {
  'a tie': {
    weights: { a: [20, 30], b: [20, 30], c: [20, 30] },
    rules: [tie('a', 'b', 'c')],
    besides: 100,
    alone: true,
  },
  'a tie of transposes': {
    weights: { a: [20, 30], b: [30, 20] },
    rules: [tie('a', 'b', { transpose: true })],
    besides: 80,
    alone: true,
  },
  'a tie of dimensions in another order': {
    weights: { a: [3, 4, 5, 6], b: [5, 6, 3, 4] },
    rules: [tie('a', 'b', { permute: [2, 3, 0, 1] })],
    besides: 80,
  },
  'a tie of a part': {
    weights: { a: [20, 30], b: [5, 7], c: [4, 3] },
    rules: [tie('a', 'b', { begin: [2, 3] }), tie('a', 'c', { transpose: true, begin: [7, 16] })],
    besides: 120,
  },
  'a tie of a hashed weight and its transpose': {
    weights: { a: [40, 6], b: [6, 40], c: [40, 6] },
    rules: [hashed('a', { stored: 30 }), tie('a', 'b', { transpose: true }), tie('a', 'c')],
    besides: 120,
    alone: true,
  },
  'a tie of blocks of a hashed weight': {
    weights: { a: [40, 6], b: [6, 40], c: [3, 4] },
    rules: [
      hashed('a', { stored: 30, block: 3 }),
      tie('a', 'b', { transpose: true }),
      tie('a', 'c', { begin: [11, 1] }),
    ],
    besides: 140,
  },
  kronecker: { weights: { w: [12, 20] }, rules: [kronecker('w', { left: [4, 5] })], besides: 60 },
  'kronecker of a convolution, tied': {
    weights: { a: [3, 3, 4, 6], b: [3, 3, 4, 6] },
    rules: [kronecker('a', { left: [9, 2] }), tie('a', 'b')],
    besides: 80,
  },
  lowRank: { weights: { w: [12, 20] }, rules: [lowRank('w', { rank: 3 })], besides: 60 },
  'a tie of transposes of low rank': {
    weights: { a: [12, 20], b: [20, 12] },
    rules: [lowRank('a', { rank: 3 }), tie('a', 'b', { transpose: true })],
    besides: 100,
  },
  basis: {
    weights: { a: [12, 20], b: [12, 9], c: [12, 30] },
    rules: [basis(['a', 'b', 'c'], { rank: 4 })],
    besides: 120,
  },
  lora: {
    weights: square,
    rules: [lora('w', { rank: 2, alpha: 3 })],
    besides: 4 * 24 * 24 + 90,
  },
  vera: {
    weights: { w: [24, 20] },
    rules: [vera('w', { rank: 5 })],
    besides: 4 * (24 * 20 + 5 * 44) + 120,
  },
  circulant: { weights: { w: [28, 40] }, rules: [circulant('w', { block: 8 })], besides: 80 },
  'circulant places of a convolution, a side of which is cut': {
    weights: { w: [2, 2, 10, 13] },
    rules: [circulant('w', { block: 4 })],
    besides: 90,
  },
  toeplitz: { weights: { w: [20, 31] }, rules: [toeplitz('w')], besides: 60 },
  'toeplitz, tied to its transpose': {
    weights: { w: [20, 31], v: [31, 20] },
    rules: [toeplitz('w'), tie('w', 'v', { transpose: true })],
    besides: 70,
  },
  hankel: { weights: { w: [2, 3, 9, 7] }, rules: [hankel('w')], besides: 60 },
  symmetric: { weights: square, rules: [symmetric('w')], besides: 40 },
  skewSymmetric: { weights: square, rules: [skewSymmetric('w')], besides: 40 },
  'rotated, with its bias': {
    weights: { a: [3, 3, 4, 8], b: [3, 3, 8, 8], c: [8] },
    rules: [
      rotated('a', { group: 'p4', input: 'plane' }),
      rotated('b', { group: 'p4', input: 'group' }),
      rotated('c', { group: 'p4', input: 'group' }),
    ],
    besides: 800,
  },
  'rotated and mirrored': {
    weights: { w: [3, 3, 16, 16] },
    rules: [rotated('w', { group: 'p4m', input: 'group' })],
    besides: 900,
  },
  shared: {
    weights: square,
    rules: [shared('w', (row, column) => (row + column) % 10)],
    besides: 120,
  },
  'shared, with elements that read none, and factors': {
    weights: square,
    rules: [
      shared('w', {
        index: (row, column) => (row === column ? -1 : (row * column) % 5),
        factor: Float32Array.from({ length: 576 }, (_, at) => (at % 7) - 3),
      }),
    ],
    besides: 900,
  },
  'shared, with several entries a row': {
    weights: { w: [5, 4] },
    rules: [
      shared('w', {
        rows: [0, 0, 1, 5, 5, 5, 19],
        columns: [0, 1, 2, 0, 3, 2, 1],
        values: [1, -1, 2, 0.5, 0.25, 3, -7],
      }),
    ],
    besides: 220,
  },
  'shared by 5,000 values': {
    weights: { w: [100, 60] },
    rules: [shared('w', (row, column) => (row * 60 + column) % 5000)],
    besides: 100,
  },
  'shared, and tied to its transpose': {
    weights: { a: [20, 30], b: [30, 20] },
    rules: [
      shared('a', (row, column) => (row * row + 3 * column * column) % 11),
      tie('a', 'b', { transpose: true }),
    ],
    // An index of 11 rows once: 3.5 bits each, and its code.
    besides: 600 / 2 + 180,
  },
  pruned: { weights: square, rules: [pruned('w', { ratio: 1 / 10 })], besides: 420 },
  codebook: { weights: square, rules: [codebook('w', { values: 16 })], besides: 400 },
  'codebook of vectors': {
    weights: { w: [24, 24] },
    rules: [codebook('w', { values: 9, dimension: 4 })],
    besides: 200,
  },
  'codebook of vectors across rows': {
    weights: { w: [24, 25] },
    rules: [
      codebook('w', {
        values: 200,
        dimension: 8,
        index: Array.from({ length: 75 }, (_, i) => (i * 37) % 200),
      }),
    ],
    besides: 75 + 60,
  },
  'frozen, and tied': {
    weights: { a: [20, 30], b: [30, 20], c: [4] },
    rules: [frozen('a'), tie('a', 'b', { transpose: true })],
    besides: 4 * 600 + 90,
    alone: true,
  },
};

/** Expressions that kinds may make of stored tensors some day. */
const expressions: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((again) => {
  const of = (make: (input: Expression, drawn: number[]) => Expression) =>
    fc
      .tuple(again('any'), fc.array(fc.nat(999), { minLength: 8, maxLength: 8 }))
      .map(([input, drawn]) => make(input, drawn));
  const column = (input: Expression): Expression => ({
    ...{ op: 'reshape', of: input, shape: [sizeOf(input.shape), 1] },
  });
  const turned = (input: Expression): Expression => ({
    op: 'transpose',
    of: input,
    permutation: input.shape.map((_, axis) => (axis + 1) % input.shape.length),
    shape: [...input.shape.slice(1), input.shape[0]!],
  });
  const outer = (op: 'matmul' | 'kronecker') =>
    fc.tuple(again('any'), again('any')).map(([a, b]): Expression => {
      const [left, right] = [column(a), turned(column(b))];
      return { op, left, right, shape: [left.shape[0]!, right.shape[1]!] };
    });
  const part = (input: Expression, begin: number[], shape: Shape): Expression => ({
    ...{ op: 'slice', of: input, begin, shape },
  });
  return {
    any: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc
        .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })
        .map((shape): Expression => ({ op: 'stored', name: shape.join('x'), shape })),
      of((input, drawn) => {
        const size = sizeOf(input.shape);
        const block = size % 2 === 0 ? 1 + (drawn[0]! % 2) : 1;
        const index = Int32Array.from(
          { length: 12 },
          (_, i) => (drawn[i % 8]! % (2 * (size / block) + 1)) - size / block,
        );
        return { op: 'gather', of: input, index, block, shape: [4, 3 * block] };
      }),
      of((input, [rows, columns, start, back]) => {
        const shape = [1 + (rows! % 4), 1 + (columns! % input.shape.at(-1)!)];
        return {
          op: 'shear',
          of: input,
          start: start! % 9,
          direction: back! % 2 ? 1 : -1,
          shape: [...input.shape.slice(0, -1), ...shape],
        };
      }),
      outer('matmul'),
      outer('kronecker'),
      of((input) => ({ op: 'add', left: input, right: input, shape: input.shape })),
      of((input, [by]) => ({ op: 'scale', of: input, by: (by! % 9) / 8, shape: input.shape })),
      of((input, drawn) => {
        const shape = input.shape.map((extent, axis) => (drawn[axis]! % 2 ? 1 : extent));
        const by = part(
          input,
          input.shape.map(() => 0),
          shape,
        );
        return { op: 'scale', of: input, by, shape: input.shape };
      }),
      of((input) =>
        input.shape.length === 1
          ? input
          : { op: 'sum', of: input, shape: input.shape.slice(0, -1) },
      ),
      of((input) => ({ op: 'reshape', of: input, shape: [...input.shape].reverse() })),
      of(turned),
      of((input, drawn) => {
        const begin = input.shape.map((extent, axis) => drawn[axis]! % extent);
        return part(
          input,
          begin,
          input.shape.map((extent, axis) => extent - begin[axis]!),
        );
      }),
      of((input, [at]) => {
        const axis = at! % input.shape.length;
        const shape = input.shape.with(axis, 2 * input.shape[axis]!);
        return { op: 'concat', of: [input, input], axis, shape };
      }),
    ),
  };
}).any;

describe('weights as parts of a file', () => {
  for (const [name, { weights, rules, besides, alone }] of Object.entries(CASES))
    it(`are what they are in double precision: ${name}`, () => {
      const specs = Object.entries(weights).map(([weight, shape]) => ({ name: weight, shape }));
      const begun = Object.fromEntries(specs.map((each) => [each.name, first(sizeOf(each.shape))]));
      const sharing = resolveSharing(specs, rules, () => begun);
      const stored = valuesFor(sharing);
      const count = Object.values(stored).reduce((sum, each) => sum + each.length, 0);
      for (const { name: weight, shape } of specs) {
        const { bytes, needsSharing } = fileOf(sharing, stored, weight);
        const [rows] = matrixOf(shape);
        // The layer of zeros, and the head of each table.
        const size = bytes.length - 2 * (7 + 4) - 6 * specs.length;
        assert.ok(size < 4 * count + besides, `${size} bytes for ${count} values`);
        assert.equal(needsSharing, alone !== true);
        const options: ReadOptions = needsSharing ? { sharing: computing } : {};
        const { predict } = readModel(bytes, options);
        const found = predict(Float64Array.from({ length: rows }, (_, row) => row));
        const expected = sharing.expand(weight, stored);
        assert.equal(found.length, expected.length);
        for (const [at, value] of expected.entries())
          assert.ok(
            Math.abs(found[at]! - value) < 1e-6,
            `${weight}[${at}]: ${found[at]}, ${value}`,
          );
      }
    });

  it('are what they are in double precision, whatever the expression', () => {
    const random = createRandom('any');
    const stored = new Proxy({} as Record<string, Float32Array>, {
      get: (known, name: string) => {
        const size = sizeOf(name.split('x').map(Number));
        known[name] ??= Float32Array.from({ length: size }, () => random.next() - 0.5);
        return known[name];
      },
    });
    fc.assert(
      fc.property(expressions, (expression) => {
        fc.pre(expression.shape.length < 8 && sizeOf(expression.shape) < 10_000);
        const placed = createParts({ constant: () => assert.fail() }, stored)(expression);
        const shape = expression.shape.length > 1 ? expression.shape : [1, ...expression.shape];
        const [rows, columns] = matrixOf(shape);
        const alone = new Float32Array(rows * columns);
        const { bytes } = writeModel({
          input: [rows],
          layers: [
            { kind: 'embedding', numbers: [rows, columns], weights: [{ ...placed, alone }] },
          ],
        });
        const { predict } = readModel(bytes, { sharing: computing });
        const found = predict(Float64Array.from({ length: rows }, (_, row) => row));
        const expected = evaluate(expression, {
          stored: (name) => stored[name]!,
          constant: () => assert.fail(),
        });
        assert.equal(found.length, expected.length);
        const most = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
        for (const [at, value] of expected.entries())
          assert.ok(Math.abs(found[at]! - value) < 1e-6 * most, `${at}: ${found[at]}, ${value}`);
      }),
      { numRuns: 1000 },
    );
  });
});
