import assert from 'node:assert/strict';
import { readModel } from '@tutti/edge';
import { BODY_AT, CHECKSUM_AT, crc32, PARTS_VERSION } from '@tutti/edge/internal';
import { sharing } from '@tutti/edge/sharing';
import { createRandom, isTuttiError, randomState } from '@tutti/runtime';
import { chooseParts } from './choose-parts.js';
import { fold } from './fold.js';
import { gatherPart } from './index-part.js';
import type { LayerSpec, ModelSpec } from './model-spec.js';
import { isMade, type MadeWeight, type PartSpec, type Weight } from './parts.js';
import { sampleDrawnModel, sampleModel, samplePartsModel, sampleWeights } from './testing.js';
import { writeModel } from './write-model.js';

const dense = (units: number, kernel: Weight): LayerSpec => ({
  kind: 'dense',
  numbers: [units],
  activations: [{ name: 'linear' }],
  weights: [kernel, new Float32Array(units)],
});

const tensor = (name: string, ...shape: number[]): PartSpec => ({
  shape,
  values: sampleWeights(
    name,
    shape.reduce((a, b) => a * b),
  ),
});

const made = (part: PartSpec, size: number, byColumns = false): MadeWeight => ({
  part,
  byColumns,
  alone: sampleWeights('alone', size),
});

/** Dense layers of `size` inputs and units, one after the other. */
const chain = (size: number, ...kernels: Weight[]): ModelSpec => ({
  input: [size],
  layers: kernels.map((kernel) => dense(size, kernel)),
});

const withChecksum = (bytes: Uint8Array) => {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(CHECKSUM_AT, crc32(copy.subarray(BODY_AT)), true);
  return copy;
};

describe('weights that are made of parts', () => {
  it('have the tensor that they have in common once in the file, and once in memory', () => {
    const size = 600;
    const table = tensor('common', size, size);
    const model = chain(size, made(table, size * size), made(table, size * size));
    const { bytes, needsSharing } = writeModel(model);
    assert.ok(bytes.length < 4 * size * size + 100, `${bytes.length} bytes`);
    assert.equal(needsSharing, false);
    const before = process.memoryUsage().arrayBuffers;
    const read = readModel(bytes);
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken < 4 * size * size + 20_000, `${taken} bytes`);
    assert.equal(read.predict(new Float32Array(size)).length, size);
  });

  it('keep nothing in memory of what they were computed from', () => {
    const { bytes } = writeModel(samplePartsModel());
    let seen: Parameters<typeof sharing>[2] = [];
    const most: number[] = [];
    readModel(bytes, {
      sharing(kind, reader, parts, hold) {
        seen = parts;
        most.push(parts.length);
        return sharing(kind, reader, parts, hold);
      },
    });
    assert.ok(Math.max(...most) > 10);
    assert.equal(seen.length, 0);
  });

  it('need `sharing` only where they are computed, and the error says what to import', () => {
    const { bytes, needsSharing } = writeModel(samplePartsModel());
    assert.equal(needsSharing, true);
    assert.ok(readModel(bytes, { sharing }));
    assert.throws(
      () => readModel(bytes),
      (error) => {
        assert.ok(isTuttiError(error));
        assert.equal(error.code, 'BAD_MODEL');
        assert.equal(error.message, 'This .tutti file has weights that are made of others');
        assert.equal(
          error.remedy,
          "Import { sharing } from '@tutti/edge/sharing' for readModel(bytes, { sharing }).",
        );
        return true;
      },
    );
  });

  it('are of version 3, and files without any stay as they were', () => {
    const versionOf = (model: ModelSpec) => writeModel(model).bytes[5];
    assert.deepEqual([sampleModel(), sampleDrawnModel(), samplePartsModel()].map(versionOf), [
      1,
      2,
      PARTS_VERSION,
    ]);
    const { bytes } = writeModel(samplePartsModel());
    for (const version of [1, 2])
      assert.throws(() => readModel(bytes.with(5, version), { sharing }), /its version is another/);
  });

  it('count as what a reader holds: each part, and each weight', () => {
    const common = tensor('held', 10, 10);
    const drawn: PartSpec = {
      shape: [10, 10],
      values: {
        ...{ stored: sampleWeights('drawn', 8), block: 4, sign: false },
        ...{ state: randomState('held'), turned: false },
      },
    };
    const index = Int32Array.from({ length: 100 }, (_, at) => 1 + ((at * 7) % 30));
    const gathered = gatherPart(tensor('thirty', 30), 30, index, [10, 10], 1);
    const runs = Int32Array.from({ length: 20 }, (_, at) => ((at * 7) % 13) - 6);
    const vectors = gatherPart(tensor('thirty', 30), 6, runs, [20], 5);
    const view: PartSpec = { shape: [10, 10], of: vectors };
    for (const [kernel, held] of [
      [made(common, 100), 100],
      [made({ shape: [10, 10], of: common }, 100), 100],
      [made({ shape: [10, 10], of: common, byColumns: true }, 100), 200],
      [made({ kind: 'matmul', operands: [common, common] }, 100), 200 + 1000 / 128],
      [made({ kind: 'add', operands: [common, drawn] }, 100), 200 + 8 + 25 + 100],
      [made(drawn, 100), 8 + 25],
      [made(gathered, 100), 30 + 100 + 100],
      [made(vectors, 100), 30 + 20 + 20],
      [made({ kind: 'add', operands: [view, common] }, 100), 30 + 20 + 20 + 100 + 100 + 100],
    ] as const) {
      const { bytes } = writeModel(chain(10, kernel));
      // Input, output, kernel and bias.
      const most = Math.ceil(held + 10 + 10 + 100 + 10);
      assert.ok(readModel(bytes, { sharing, maxValues: most }));
      assert.throws(() => readModel(bytes, { sharing, maxValues: most - 1 }), {
        code: 'BAD_MODEL',
      });
    }
  });

  it('are looked up in a table of vectors without the table', () => {
    const random = createRandom('vectors');
    const index = Int32Array.from({ length: 120_000 }, () => random.below(513) - 256);
    const entries = sampleWeights('entries', 256 * 16);
    const part = gatherPart({ shape: [256, 16], values: entries }, 256, index, [120_000], 16);
    const alone = new Float32Array(0);
    const table = (words: number): ModelSpec => ({
      input: [words],
      layers: [{ kind: 'embedding', numbers: [60_000, 32], weights: [{ part, alone }] }],
    });
    const { bytes } = writeModel(table(3));
    const before = process.memoryUsage().arrayBuffers;
    const model = readModel(bytes, { sharing });
    const words = [59_999, 0, 31_415];
    const found = model.predict(words);
    // Two numbers a row, as they are read and as they are kept; all elements would take 7,680,000 bytes.
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken < 2 * 4 * 120_000 + 40_000, `${taken} bytes`);
    const expected = words.flatMap((word) =>
      [2 * word, 2 * word + 1].flatMap((run) => {
        const at = index[run]!;
        const first = 16 * (Math.abs(at) - 1);
        return Array.from({ length: 16 }, (_, k) =>
          at === 0 ? 0 : Math.sign(at) * entries[first + k]!,
        );
      }),
    );
    assert.deepEqual([...found], expected);
  });

  it('are rounded as what is stored; numbers that say what is read are not', () => {
    const index = Int32Array.from({ length: 900 }, (_, at) => ((at * 37) % 401) - 200);
    const from = tensor('rounded', 200);
    const kernel = made(gatherPart(from, 200, index, [30, 30], 1), 900);
    const exact = writeModel(chain(30, kernel)).bytes;
    for (const [kernels, step] of [
      ['float16', 0.5 * 2 ** -11],
      ['int8', 0.5 / 127],
      ['int4', 0.5 / 7],
    ] as const) {
      const { bytes } = writeModel(chain(30, kernel), { kernels });
      assert.ok(bytes.length < exact.length - 200);
      for (let row = 0; row < 30; row++) {
        const one = Float32Array.from({ length: 30 }, (_, at) => (at === row ? 1 : 0));
        const found = readModel(bytes, { sharing }).predict(one);
        for (const [at, value] of readModel(exact, { sharing }).predict(one).entries())
          assert.ok(Math.abs(found[at]! - value) <= step);
      }
    }
  });

  it('take no factors of batch normalisation', () => {
    const affine: LayerSpec = {
      kind: 'affine',
      weights: [sampleWeights('factor', 4), sampleWeights('summand', 4)],
    };
    const { layers, input } = chain(4, made(tensor('folded', 4, 4), 16));
    assert.equal(fold({ input, layers: [...layers, affine] }).layers.length, 2);
  });

  it('are refused where they do not fit, or are no numbers', () => {
    const wrong = new Float32Array(100).fill(Number.POSITIVE_INFINITY);
    for (const part of [
      tensor('small', 9, 10),
      { shape: [10, 10], values: wrong },
      { kind: 'matmul', operands: [tensor('a', 10, 3), tensor('b', 4, 10)] },
      { kind: 'add', operands: [tensor('a', 10, 10), tensor('b', 20, 5)] },
      { kind: 'scale', operands: [tensor('a', 10, 10), tensor('b', 5, 10)] },
      { kind: 'transpose', operands: [tensor('a', 10, 10)], numbers: [1, 1] },
      { kind: 'transpose', operands: [tensor('a', 1, 100)], numbers: [1, 0, 0] },
      { kind: 'slice', operands: [tensor('a', 10, 11)], numbers: [0, 2, 10, 10] },
      { kind: 'concat', operands: [tensor('a', 10, 5), tensor('b', 10, 5)], numbers: [2] },
      { kind: 'triangle', operands: [tensor('a', 54)], numbers: [10, 0] },
      { kind: 'gather', operands: [tensor('a', 7), tensor('b', 100)], numbers: [2, 0, 0] },
    ] as PartSpec[])
      assert.throws(() => writeModel(chain(10, made(part, 100))), { code: 'BAD_MODEL' });
  });
});

describe('the choice between parts and all elements', () => {
  const chosen = (model: ModelSpec) =>
    chooseParts(model).layers.map(({ weights }) => isMade(weights![0]!));

  it('is what takes fewer bytes, for weights that have a tensor in common together', () => {
    const twice = tensor('twice', 20, 20);
    const once = tensor('once', 20, 20);
    const zeros: MadeWeight = { part: once, alone: new Float32Array(400) };
    const model = chain(20, made(twice, 400), made(once, 400), made(twice, 400, true));
    assert.deepEqual(chosen(model), [true, false, true]);
    assert.deepEqual(chosen(chain(20, zeros, zeros)), [false, false]);
  });

  it('follows the precision', () => {
    // An index of 400 numbers below 200: 8 bits each. Stored are 32 bits for two elements, or 4.
    const random = createRandom('index');
    const index = Int32Array.from({ length: 400 }, () => 1 + random.below(200));
    const part = gatherPart(tensor('half', 200), 200, index, [20, 20], 1);
    const weight: MadeWeight = { part, alone: sampleWeights('whole', 400) };
    const kept = (kernels: 'exact' | 'int4') =>
      isMade(chooseParts(chain(20, weight), { kernels }).layers[0]!.weights![0]!);
    assert.deepEqual([kept('exact'), kept('int4')], [true, false]);
  });

  it('is all elements for all, where readers would have to hold too much', () => {
    const zeros: PartSpec = { shape: [64, 64], values: new Float32Array(64 * 64) };
    const cutFrom = (left: PartSpec): MadeWeight => {
      const large: PartSpec = { kind: 'kronecker', operands: [left, zeros] };
      return made({ kind: 'slice', operands: [large], numbers: [0, 0, 9, 9] }, 81);
    };
    const [small, larger] = [tensor('small', 2, 2), zeros].map(cutFrom);
    assert.deepEqual(chosen(chain(9, small!)), [true]);
    assert.deepEqual(chosen(chain(9, small!, larger!)), [false, false]);
  });
});

describe('a small file of parts that was made to harm', () => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  /** A tensor of zeros: sparse, with no values. */
  const zeros = (...shape: number[]) => [
    ...[0, shape.length, ...shape.flatMap(varint)],
    ...[64, 0, 1, 0x10],
  ];
  const file = (parts: readonly (readonly number[])[]) =>
    withChecksum(
      Uint8Array.from([
        ...[84, 85, 84, 84, 73, 3, 0, 0, 0, 0, 1, 1, 0],
        ...varint(parts.length),
        ...parts.flat(),
        ...[1, 9, 0, 0],
      ]),
    );
  const many = (part: number[], count = 20_000) => Array.from({ length: count }, () => part);
  const back = (kind: number, ...rest: number[]) => [kind, ...rest];

  it('is read where it keeps to its limits', () => {
    assert.ok(readModel(file([zeros(100, 100), back(3, 1, 1), back(5, 1, 2)]), { sharing }));
  });

  it('makes no reader multiply, add up, copy or draw for long', () => {
    const drawn = [
      ...[0, 1, ...varint(2 ** 22)],
      32,
      1,
      1,
      0,
      ...new Array(16).fill(1),
      0,
      0,
      0,
      0,
    ];
    for (const [name, parts] of Object.entries({
      product: [zeros(2048, 2048), back(3, 1, 1)],
      // Each reads 2^22 zeros for a single one.
      sums: [zeros(1, 2 ** 22), ...many([]).map((_, at) => back(7, ...varint(at + 1)))],
      views: [zeros(2048, 2048), ...many([0, 2, ...varint(2048), ...varint(2048), 144, 0])],
      'slices of what is drawn': [
        drawn,
        ...many([]).map((_, at) => back(9, ...varint(at + 1), 2, 0, 1)),
      ],
      growth: [zeros(1024, 1024), ...many(back(10, 2, 1, 1, 0), 40)],
      'Kronecker products': [zeros(64, 64), ...many(back(4, 1, 1), 4)],
      shears: [zeros(1024), ...many(back(2, 1, ...varint(2 ** 13), ...varint(2 ** 13), 0, 0), 2)],
    }))
      assert.throws(
        () => readModel(file(parts), { sharing }),
        { code: 'BAD_MODEL', message: /more than 16777216 values/ },
        name,
      );
  });

  it('has no shape of endless rank, no part before the first, and no more parts than bytes', () => {
    const most = [0xff, 0xff, 0xff, 0xff, 127];
    for (const parts of [
      [zeros(1), ...many(back(2, 1, 1, 1, 0, 0))],
      [back(5, 1, 1)],
      [zeros(1), back(5, 0, 1)],
      [back(10, 0, 0)],
      [zeros(1), back(10, ...most, 1, 0)],
      [zeros(1), back(8, 1, ...most, 0)],
    ])
      assert.throws(() => readModel(file(parts), { sharing }), { code: 'BAD_MODEL' });
    const endless = file([zeros(1)]);
    const body = [...endless.subarray(0, 13), ...most, ...endless.subarray(14)];
    assert.throws(() => readModel(withChecksum(Uint8Array.from(body)), { sharing }), {
      code: 'BAD_MODEL',
    });
  });

  it('reads no row that there is not', () => {
    // An index of a fraction, of no number, and of a number beyond the last row, which begins anew.
    const at = (value: number) => [
      ...[0, 1, 1, 0, ...new Uint8Array(Float32Array.of(value).buffer)],
    ];
    for (const [value, isRead] of [
      [0.5, false],
      [Number.NaN, false],
      [Number.POSITIVE_INFINITY, false],
      [-3, true],
      [1e30, true],
    ] as const) {
      const bytes = file([zeros(4), at(value), back(1, 2, 1, 1, 0, 0)]);
      if (isRead) assert.ok(readModel(bytes, { sharing }));
      else assert.throws(() => readModel(bytes, { sharing }), { code: 'BAD_MODEL' });
    }
  });
});
