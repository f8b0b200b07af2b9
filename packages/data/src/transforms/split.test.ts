import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import type { Dataset } from '../contract/dataset.js';
import { arrays } from '../memory/arrays.js';
import { shuffle } from './shuffle.js';
import { folds, split } from './split.js';

/** `x` is the place of an example; `y` its class: as many of class c as `sizes` says, in order. */
const numbered = (...sizes: number[]) => {
  const labels = sizes.flatMap((size, label) => Array<number>(size).fill(label));
  return arrays({
    x: { data: Int32Array.from(labels.keys()), shape: [labels.length] },
    y: { data: Int32Array.from(labels), shape: [labels.length] },
  });
};

const field = async (dataset: Dataset, name: 'x' | 'y') =>
  Array.from((await dataset.read([...Array(dataset.size).keys()]))[name]!.data);
const sorted = (values: number[]) => values.sort((a, b) => a - b);
const countOf = (values: number[], wanted: number) => values.filter((v) => v === wanted).length;

describe('shuffle', () => {
  it('gives every example once, in an order that follows from the seed', async () => {
    const order = await field(shuffle(numbered(50), 3), 'x');
    assert.deepEqual(sorted([...order]), [...Array(50).keys()]);
    assert.notDeepEqual(order, [...Array(50).keys()]);
    assert.deepEqual(await field(shuffle(numbered(50), 3), 'x'), order);
    assert.notDeepEqual(await field(shuffle(numbered(50), 4), 'x'), order);
  });

  it('gives this very order, in this process and in another', async () => {
    const expected = [3, 2, 0, 1, 4];
    assert.deepEqual(await field(shuffle(numbered(5), 1), 'x'), expected);
    const code = `
      const { arrays, shuffle } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
      const x = { data: Int32Array.of(0, 1, 2, 3, 4), shape: [5] };
      const batch = await shuffle(arrays({ x }), 1).read([0, 1, 2, 3, 4]);
      console.log(JSON.stringify([...batch.x.data]));`;
    const said = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', code],
      { encoding: 'utf8' },
    );
    assert.deepEqual(JSON.parse(said), expected);
  });

  it('refuses a seed that is none', () => {
    for (const seed of [undefined, 0.5, '1'])
      assert.throws(() => shuffle(numbered(5), seed as number), {
        code: 'BAD_PROGRAM',
        message: `The seed given to shuffle() is ${seed}`,
      });
  });
});

describe('an example that was drawn', () => {
  it('says where it lies in what it was drawn from', async () => {
    const { evaluation } = await split(shuffle(numbered(30), 4), { evaluation: 10, seed: 2 });
    const places = await field(evaluation, 'x');
    for (const [index, place] of places.entries())
      assert.equal(evaluation.origin!(index), `example ${place} of arrays()`);
  });
});

describe('split', () => {
  it('makes two disjoint parts of every data set, of the size asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 200 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.integer(),
        async (size, share, seed) => {
          const count = Math.round(size * share);
          fc.pre(count > 0 && count < size);
          const { training, evaluation } = await split(numbered(size), { evaluation: share, seed });
          assert.deepEqual([training.size, evaluation.size], [size - count, count]);
          const [a, b] = [await field(training, 'x'), await field(evaluation, 'x')];
          assert.deepEqual(sorted([...a, ...b]), [...Array(size).keys()]);
          // In the order of the data set, which its files like.
          assert.deepEqual([sorted([...a]), sorted([...b])], [a, b]);
        },
      ),
    );
  });

  it('gives each part its share of every class, to within one example', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2, max: 60 }), { minLength: 2, maxLength: 6 }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        fc.integer(),
        async (sizes, share, seed) => {
          const all = numbered(...sizes);
          const count = Math.round(all.size * share);
          fc.pre(count > 0 && count < all.size);
          const { training, evaluation } = await split(all, { evaluation: share, seed, by: 'y' });
          assert.equal(evaluation.size, count);
          const labels = await field(evaluation, 'y');
          for (const [label, size] of sizes.entries()) {
            const exact = (size * count) / all.size;
            assert.ok(Math.abs(countOf(labels, label) - exact) < 1, `${label}: ${labels}`);
          }
          assert.deepEqual(
            sorted([...(await field(training, 'x')), ...(await field(evaluation, 'x'))]),
            [...Array(all.size).keys()],
          );
        },
      ),
    );
  });

  it('is another for another seed, and the same for the same', async () => {
    const chosen = async (seed: number) =>
      field((await split(numbered(40, 20), { evaluation: 0.25, seed, by: 'y' })).evaluation, 'x');
    assert.deepEqual(await chosen(1), await chosen(1));
    assert.notDeepEqual(await chosen(1), await chosen(2));
  });

  it('evaluates on examples of small classes as often as on others', async () => {
    const seeds = 2000;
    const times = new Uint32Array(10);
    for (let seed = 0; seed < seeds; seed++)
      for (const example of await field(
        (await split(numbered(7, 2, 1), { evaluation: 3, seed, by: 'y' })).evaluation,
        'x',
      ))
        times[example]!++;
    // Five standard deviations of a binomial.
    const most = 5 * Math.sqrt(seeds * 0.3 * 0.7);
    for (const count of times) assert.ok(Math.abs(count - 0.3 * seeds) < most, `${times}`);
  });

  it('takes a number of examples, too', async () => {
    const { training, evaluation } = await split(numbered(10), { evaluation: 3, seed: 1 });
    assert.deepEqual([training.size, evaluation.size], [7, 3]);
  });

  it('reads nothing but the field that it goes by, and closes what it was given', async () => {
    const wanted = new Set<string>();
    let closed = 0;
    const inner = numbered(20, 20);
    const { training, evaluation } = await split(
      {
        ...inner,
        read(indices, only) {
          wanted.add(`${only}`);
          return inner.read(indices, only);
        },
        close: async () => void closed++,
        notices: [{ message: 'one was passed over', remedy: 'None.' }],
      },
      { evaluation: 0.5, seed: 1, by: 'y' },
    );
    assert.deepEqual([...wanted], ['y']);
    assert.equal(training.notices!.length, 1);
    await evaluation.close?.();
    assert.equal(closed, 1);
  });

  for (const [options, code, message] of [
    [{ evaluation: 0, seed: 1 }, 'BAD_PROGRAM', 'evaluation of split() is 0'],
    [{ evaluation: 1.5, seed: 1 }, 'BAD_PROGRAM', 'evaluation of split() is 1.5'],
    [{ evaluation: 0.2 }, 'BAD_PROGRAM', 'The seed given to split() is undefined'],
    [{ evaluation: 0.2, seed: 1, stratify: 'y' }, 'BAD_PROGRAM', 'split takes no "stratify"'],
    [
      { evaluation: 0.01, seed: 1 },
      'BAD_DATA',
      '0 of 10 examples were to be evaluated on, which leaves none of them',
    ],
    [
      { evaluation: 10, seed: 1 },
      'BAD_DATA',
      '10 of 10 examples were to be evaluated on, which leaves none to train on',
    ],
    [
      { evaluation: 0.2, seed: 1, by: 'z' },
      'BAD_DATA',
      '`by` of split() names field z, but there is only x, y',
    ],
    [
      { evaluation: 0.2, seed: 1, by: 'x' },
      'BAD_DATA',
      'field x has 10 different values in 10 examples: these are no classes',
    ],
  ] as const)
    it(`refuses ${JSON.stringify(options)}`, () =>
      assert.rejects(split(numbered(10), options as never), { code, message }));
});

describe('folds', () => {
  it('evaluate every example once, each with its share of every class', async () => {
    const pairs = await folds(numbered(33, 17), { folds: 5, seed: 2, by: 'y' });
    assert.equal(pairs.length, 5);
    const all = [];
    for (const { training, evaluation } of pairs) {
      const [a, b] = [await field(training, 'x'), await field(evaluation, 'x')];
      assert.deepEqual(sorted([...a, ...b]), [...Array(50).keys()]);
      const ones = countOf(await field(evaluation, 'y'), 1);
      assert.ok(ones === 3 || ones === 4, `${ones}`);
      all.push(...b);
    }
    assert.deepEqual(sorted(all), [...Array(50).keys()]);
  });

  it('have examples of small classes in each of them alike', async () => {
    const seeds = 1500;
    const times = new Uint32Array(3);
    for (let seed = 0; seed < seeds; seed++)
      for (const [fold, { evaluation }] of (
        await folds(numbered(7, 2, 1), { folds: 3, seed, by: 'y' })
      ).entries())
        times[fold]! += countOf(await field(evaluation, 'y'), 2);
    const most = 5 * Math.sqrt((seeds * 2) / 9);
    for (const count of times) assert.ok(Math.abs(count - seeds / 3) < most, `${times}`);
  });

  it('are at least two, and no more than there are examples', async () => {
    await assert.rejects(folds(numbered(5), { folds: 1, seed: 1 }), { code: 'BAD_PROGRAM' });
    await assert.rejects(folds(numbered(5), { folds: 6, seed: 1 }), {
      message: '5 examples make no 6 folds',
    });
  });
});
