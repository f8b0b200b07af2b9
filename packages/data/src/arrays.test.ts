import assert from 'node:assert/strict';
import { arrays } from './arrays.js';
import { plain } from './testing.js';

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
    for (const field of [new Float32Array(4), { data: [1, 2], shape: [2] }, {}])
      assert.throws(() => arrays({ x: field as never }), {
        code: 'BAD_DATA',
        message: 'field x has no data, which is a typed array, or no shape',
      });
  });
});
