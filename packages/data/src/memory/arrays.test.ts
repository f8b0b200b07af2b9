import assert from 'node:assert/strict';
import { plain } from '../testing.js';
import { arrays } from './arrays.js';

const dataset = () =>
  arrays({
    x: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2, 1] },
    y: { data: Int32Array.of(7, 8, 9), shape: [3] },
  });

describe('arrays', () => {
  it('reads examples in the order asked for, repeats included', async () => {
    assert.equal(dataset().size, 3);
    assert.deepEqual(plain(await dataset().read([2, 0, 2])), {
      x: { data: [5, 6, 1, 2, 5, 6], shape: [3, 2, 1], kind: 'Float32Array' },
      y: { data: [9, 7, 9], shape: [3], kind: 'Int32Array' },
    });
  });

  it('reads no examples as empty fields of the same kind', async () => {
    assert.deepEqual(plain(await dataset().read([])), {
      x: { data: [], shape: [0, 2, 1], kind: 'Float32Array' },
      y: { data: [], shape: [0], kind: 'Int32Array' },
    });
  });

  it('gives memory of its own at every call', async () => {
    const data = dataset();
    (await data.read([0, 1])).x!.data.fill(-1);
    assert.deepEqual([...(await data.read([0])).x!.data], [1, 2]);
  });

  it('refuses an index outside the data', async () => {
    for (const index of [3, -1, 0.5, Number.NaN]) {
      await assert.rejects(dataset().read([0, index]), {
        code: 'BAD_DATA',
        message: new RegExp(`example ${index} of the arrays .* has 3 \\(0 to 2\\)`),
      });
    }
  });

  it('refuses a shape that does not fit and fields of different sizes', () => {
    assert.throws(() => arrays({ x: { data: new Float32Array(5), shape: [3, 2] } }), {
      code: 'BAD_DATA',
      message: 'field x has 5 values, but its shape [3,2] holds 6',
    });
    assert.throws(
      () =>
        arrays({
          x: { data: new Float32Array(6), shape: [3, 2] },
          y: { data: new Int32Array(2), shape: [2] },
        }),
      { code: 'BAD_DATA', message: 'field x has 3 examples but field y has 2' },
    );
    assert.throws(() => arrays({}), { code: 'BAD_DATA' });
  });

  it('refuses a field that is no data and shape, as JavaScript may give it', () => {
    for (const field of [new Float32Array(4), { data: 'ab', shape: [2] }, {}, undefined])
      assert.throws(() => arrays({ x: field as never }), {
        code: 'BAD_DATA',
        message: 'field x has no data, which is an array of numbers, or no shape',
      });
    for (const shape of [[], [1.5, 2], [-1, -3], ['3']])
      assert.throws(() => arrays({ x: { data: [1, 2, 3], shape: shape as number[] } }), {
        code: 'BAD_DATA',
        message: `the shape of field x is [${shape.join(', ')}]`,
      });
  });

  it('says which whole numbers float32 has rounded', () => {
    const { notices } = arrays({
      id: { data: [1, 16_777_217, 3e9 + 1, 0.1], shape: [2, 2] },
      y: { data: Int32Array.of(16_777_217, 1), shape: [2] },
    });
    assert.deepEqual(
      notices!.map(({ message }) => message),
      [
        '2 whole numbers beyond 16777216 in field id were rounded to float32 (16777217 in example 0 became 16777216)',
      ],
    );
  });
});

describe('the numbers of a field', () => {
  const read = async (data: unknown, shape: number[]) =>
    plain(await arrays({ x: { data, shape } as never }).read([0, 1])).x;

  for (const [given, kind, values] of [
    [Float32Array.of(0.3, Number.NaN), 'Float32Array', [Math.fround(0.3), Number.NaN]],
    [Float64Array.of(0.3, 1e30), 'Float32Array', [0.3, 1e30].map(Math.fround)],
    [[0.3, -1e-3], 'Float32Array', [0.3, -1e-3].map(Math.fround)],
    [[Number.NaN, Number.NEGATIVE_INFINITY], 'Float32Array', [Number.NaN, -Infinity]],
    [[true, false], 'Float32Array', [1, 0]],
    [Int32Array.of(16_777_217, -5), 'Int32Array', [16_777_217, -5]],
    [Int8Array.of(-128, 127), 'Int32Array', [-128, 127]],
    [Int16Array.of(-32768, 7), 'Int32Array', [-32768, 7]],
    [Uint16Array.of(65535, 7), 'Int32Array', [65535, 7]],
    [Uint32Array.of(2 ** 31 - 1, 7), 'Int32Array', [2 ** 31 - 1, 7]],
    [BigInt64Array.of(-5n, 2n ** 31n - 1n), 'Int32Array', [-5, 2 ** 31 - 1]],
    [BigUint64Array.of(5n, 6n), 'Int32Array', [5, 6]],
    [Uint8Array.of(255, 0), 'Uint8Array', [255, 0]],
    [Uint8ClampedArray.of(255, 0), 'Uint8Array', [255, 0]],
    [Buffer.from([255, 0]), 'Uint8Array', [255, 0]],
  ] as const)
    it(`given as ${given.constructor.name} [${[...given].join(', ')}] are ${kind}`, async () => {
      assert.deepEqual(await read(given, [2]), { data: values, shape: [2], kind });
    });

  for (const [given, message] of [
    [[1, 2, 3, 'four'], 'field x is "four", no number, in example 1 (element 1)'],
    [[1, 2, null, 4], 'field x is null, no number, in example 1 (element 0)'],
    [[1, undefined, 3, 4], 'field x is undefined, no number, in example 0 (element 1)'],
    [[1n, 2, 3, 4], 'field x is 1n, no number, in example 0 (element 0)'],
    [[[1], [2], [3], [4]], 'field x is an array, no number, in example 0 (element 0)'],
    [
      [1, 2, 3, -1e39],
      'field x is -1e+39, which does not fit into float32, in example 1 (element 1)',
    ],
    [
      Float64Array.of(1e39, 2, 3, 4),
      'field x is 1e+39, which does not fit into float32, in example 0 (element 0)',
    ],
    [
      Uint32Array.of(1, 2, 2 ** 31, 4),
      'field x is 2147483648, which does not fit into 32 bits, in example 1 (element 0)',
    ],
    [
      BigInt64Array.of(1n, -(2n ** 31n) - 1n, 3n, 4n),
      'field x is -2147483649, which does not fit into 32 bits, in example 0 (element 1)',
    ],
  ] as const)
    it(`are refused: ${message}`, () => {
      assert.throws(() => arrays({ x: { data: given as never, shape: [2, 2] } }), {
        code: 'BAD_DATA',
        message,
      });
    });
});
