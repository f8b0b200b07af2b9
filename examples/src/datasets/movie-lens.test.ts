import assert from 'node:assert/strict';
import { interactions, parseRatings } from './movie-lens.js';

describe('MovieLens', () => {
  it('is read from lines of tabs, and counted from 0', () => {
    const text = 'user_id:token\titem_id:token\trating:float\n196\t242\t3\n1\t1682\t5\n';
    assert.deepEqual(parseRatings(text), [
      { user: 195, item: 241 },
      { user: 0, item: 1681 },
    ]);
  });

  const items = 40;
  const ratings = [3, 0, 7].flatMap((user) =>
    Array.from({ length: 20 + user }, (_, at) => ({ user, item: (at * 7 + user) % items })),
  );

  for (const part of ['validation', 'test'] as const)
    it(`has each rating in one part, a tenth of a user's to ${part}`, async () => {
      const { training, evaluation } = interactions(ratings, { items, seed: 1, part });
      const { user, y } = await evaluation.read([0, 1, 2]);
      assert.deepEqual([...user!.data], [0, 3, 7]);
      const all = await training.read(Array.from({ length: training.size }, (_, at) => at));
      for (const [row, id] of [0, 3, 7].entries()) {
        const said = [...y!.data.subarray(row * items, (row + 1) * items)];
        const theirs = ratings.filter((each) => each.user === id).map(({ item }) => item);
        const trained = [...all.user!.data]
          .flatMap((each, at) => (each === id ? [all.item!.data[2 * at]!] : []))
          .sort((a, b) => a - b);
        const known = said.flatMap((each, item) => (each === -1 ? [item] : []));
        const wanted = said.flatMap((each, item) => (each === 1 ? [item] : []));
        assert.equal(wanted.length, 2);
        assert.equal(trained.length, theirs.length - 4);
        // What was held back to validate on is known by the time of the test.
        assert.equal(known.length, part === 'test' ? theirs.length - 2 : theirs.length - 4);
        assert.ok(trained.every((item) => known.includes(item)));
        assert.ok(wanted.every((item) => theirs.includes(item) && !known.includes(item)));
      }
    });

  it('draws the same test from the same seed, and another from another', async () => {
    const drawn = async (seed: number) => {
      const { evaluation } = interactions(ratings, { items, seed, part: 'test' });
      return [...(await evaluation.read([0])).y!.data];
    };
    assert.deepEqual(await drawn(1), await drawn(1));
    assert.notDeepEqual(await drawn(1), await drawn(2));
  });
});
