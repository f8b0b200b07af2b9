import assert from 'node:assert/strict';
import type { Dataset } from '../contract/dataset.js';
import { arrays } from '../memory/arrays.js';
import { plain } from '../testing.js';
import { map, slice, take } from './wrappers.js';

const numbers = () => arrays({ x: { data: Int32Array.of(10, 11, 12, 13), shape: [4] } });
const values = async (dataset: Dataset, indices: number[]) =>
  plain(await dataset.read(indices)).x!.data;

describe('map', () => {
  it('tells of decimals that JavaScript would cut off integers', async () => {
    const bytes = arrays({ x: { data: Uint8Array.of(1, 2, 3), shape: [3] } });
    const halved = map(bytes, ({ x }) => ({ x: { ...x!, data: x!.data.map((v) => v / 2) } }));
    await assert.rejects(halved.read([0, 1]), {
      code: 'BAD_DATA',
      message: /field x holds integers, and Uint8Array.map makes 0 of 0.5/,
    });
    const doubled = map(bytes, ({ x }) => ({ x: { ...x!, data: x!.data.map((v) => v * 2) } }));
    assert.deepEqual([...(await doubled.read([2])).x!.data], [6]);
  });

  it('calls a function that integers pass through as JavaScript does', async () => {
    let calls = 0;
    const counted = map(numbers(), ({ x }) => ({
      x: {
        ...x!,
        data: x!.data.map(
          function (this: { factor: number }, value) {
            calls++;
            return this.factor * value + calls;
          },
          { factor: 2 },
        ),
      },
    }));
    assert.deepEqual(await values(counted, [0, 1]), [21, 24]);
  });

  it('changes the batches and leaves the examples', async () => {
    const doubled = map(numbers(), async ({ x }) => ({
      x: { data: x!.data.map((value) => 2 * value), shape: x!.shape },
    }));
    assert.equal(doubled.size, 4);
    assert.deepEqual(await values(doubled, [3, 0]), [26, 20]);
  });

  it('refuses a function that loses examples', async () => {
    const broken = map(numbers(), () => ({ x: { data: new Int32Array(1), shape: [1] } }));
    await assert.rejects(broken.read([0, 1]), {
      code: 'BAD_DATA',
      message: 'field x that the function given to map() made has 1 examples, but 2 were asked for',
    });
  });
});

describe('map, given what is no field,', () => {
  const made = (change: unknown) => map(numbers(), () => change as never).read([2, 0]);

  it('makes float32 of float64 and of plain numbers', async () => {
    for (const data of [Float64Array.of(0.3, 0.7), [0.3, 0.7]])
      assert.deepEqual(plain(await made({ x: { data, shape: [2] } })).x, {
        data: [0.3, 0.7].map(Math.fround),
        shape: [2],
        kind: 'Float32Array',
      });
  });

  it('names the example by its place in the data set', async () => {
    await assert.rejects(made({ x: { data: [1, 'two'], shape: [2] } }), {
      code: 'BAD_DATA',
      message: 'field x that the function given to map() made is "two", no number, in example 0',
    });
    await assert.rejects(made(undefined), {
      message: 'no fields were read that the function given to map() made',
    });
  });
});

describe('slice and take', () => {
  it('number their part from 0', async () => {
    const middle = slice(numbers(), 1, 3);
    assert.equal(middle.size, 2);
    assert.deepEqual(await values(middle, [1, 0]), [12, 11]);
    await assert.rejects(middle.read([2]), { code: 'BAD_DATA', message: /slice from 1 to 3/ });
    assert.deepEqual(await values(slice(numbers(), 2), [0, 1]), [12, 13]);
    assert.deepEqual([take(numbers(), 3).size, take(numbers(), 9).size], [3, 4]);
  });

  it('refuse a part that is not there', () => {
    for (const [from, to] of [
      [-1, 2],
      [3, 2],
      [0, 5],
      [0.5, 2],
    ]) {
      assert.throws(() => slice(numbers(), from!, to), { code: 'BAD_DATA' });
    }
  });

  it('refuse a promise of a data set, which somebody forgot to await', () => {
    const promise = Promise.resolve(numbers()) as unknown as Dataset;
    for (const [name, wrap] of [
      ['slice', () => slice(promise, 0, 2)],
      ['take', () => take(promise, 2)],
      ['map', () => map(promise, (batch) => batch)],
    ] as const)
      assert.throws(wrap, {
        code: 'BAD_PROGRAM',
        message: `The data set given to ${name}() is a promise`,
        remedy: /await/,
      });
  });

  it('close what they wrap', async () => {
    let closed = 0;
    const inner: Dataset = { ...numbers(), close: async () => void closed++ };
    await take(
      map(inner, (batch) => batch),
      1,
    ).close?.();
    assert.equal(closed, 1);
  });
});
