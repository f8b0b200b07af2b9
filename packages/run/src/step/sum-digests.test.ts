import assert from 'node:assert/strict';
import { createSumDigests } from './sum-digests.js';

describe('the digests of sums', () => {
  it('are those of a step, also where a chunk of the next comes before its last', () => {
    const apply = (step: number, chunk: number) => ({ step, chunk, count: 2, scale: 1 });
    const inTurn = createSumDigests(2);
    const mixed = createSumDigests(2);
    for (const step of [3, 4])
      for (const chunk of [0, 1]) inTurn.digested(apply(step, chunk), `${step}/${chunk}`);
    for (const [step, chunk] of [
      [3, 0],
      [4, 0],
      [4, 1],
      [3, 1],
    ] as const)
      mixed.digested(apply(step, chunk), `${step}/${chunk}`);
    const expected = [3, 4].map(inTurn.of);
    assert.ok(expected.every((digest) => digest !== undefined));
    assert.notEqual(expected[0], expected[1]);
    assert.deepEqual([3, 4].map(mixed.of), expected);
    // Not all of the next was seen, and what is over is forgotten.
    mixed.digested(apply(5, 1), '5/1');
    assert.equal(mixed.of(5), undefined);
    assert.equal(mixed.of(4), undefined);
  });
});
