import assert from 'node:assert/strict';
import { createLayout } from '@tutti/parameters';
import { createWeightBuffer } from './weights.js';

const layout = createLayout(
  [
    { name: 'a', shape: [3] },
    { name: 'b', shape: [2] },
  ],
  2,
);
const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('weight buffer', () => {
  it('keeps a version until it is turned to the next one, in whatever order its chunks come', () => {
    const weights = createWeightBuffer(layout);
    weights.expect(4);
    weights.accept(4, 2, bytes(5));
    weights.accept(4, 0, bytes(1, 2));
    assert.deepEqual(weights.missing(), [1]);
    assert.equal(weights.arrived(), false);
    weights.accept(4, 1, bytes(3, 4));
    assert.equal(weights.arrived(), true);
    assert.equal(weights.version(), -1);
    weights.turn();
    assert.equal(weights.version(), 4);
    assert.equal(weights.arrived(), false);
    weights.expect(5);
    weights.accept(5, 0, bytes(9, 9));
    assert.deepEqual([...weights.values().a!, ...weights.values().b!], [1, 2, 3, 4, 5]);
  });

  it('keeps what comes early, and knows what has not come', () => {
    const weights = createWeightBuffer(layout);
    weights.expect(1);
    const early = bytes(3, 4);
    weights.accept(2, 1, early);
    early.fill(0xff);
    weights.accept(2, 2, bytes(5));
    weights.accept(1, 1, bytes(9, 9));
    assert.deepEqual(weights.missing(), [0, 2]);
    assert.deepEqual([weights.firstMissing(0, 1), weights.firstMissing(1, 1)], [1, 3]);
    assert.equal(weights.firstMissing(1, 2), 1, 'one of its chunks has not come');
    assert.equal(
      weights.firstMissing(3, 0),
      Number.POSITIVE_INFINITY,
      'of a server without chunks',
    );
    weights.expect(2);
    assert.deepEqual(weights.missing(), [0]);
    weights.accept(2, 0, bytes(1, 2));
    weights.turn();
    assert.deepEqual([...weights.values().a!, ...weights.values().b!], [1, 2, 3, 4, 5]);
    weights.accept(4, 0, bytes(7, 7));
    weights.clear();
    weights.expect(4);
    assert.deepEqual(weights.missing(), [0, 1, 2]);
  });

  it('ignores chunks of earlier versions and second copies', () => {
    const weights = createWeightBuffer(layout);
    weights.expect(1);
    weights.accept(0, 0, bytes(7, 7));
    weights.accept(1, 0, bytes(1, 2));
    weights.accept(1, 0, bytes(8, 8));
    weights.accept(1, 1, bytes(3, 4));
    weights.accept(1, 2, bytes(5));
    weights.turn();
    assert.deepEqual([...weights.values().a!], [1, 2, 3]);
  });

  it('has chunks read to where they belong, and only those that it waits for', () => {
    const weights = createWeightBuffer(layout);
    weights.expect(1);
    const place = weights.place(1, 1, 8)!;
    assert.equal(weights.place(0, 1, 8), undefined, 'another version');
    assert.equal(weights.place(1, 1, 4), undefined, 'another length');
    assert.equal(weights.place(1, 3, 4), undefined, 'no chunk');
    // A read that failed, and was begun anew.
    place.set(bytes(8, 8));
    place.set(bytes(3, 4));
    weights.accept(1, 1, place);
    assert.equal(weights.place(1, 1, 8), undefined, 'it is there');
    weights.accept(1, 0, bytes(1, 2));
    weights.accept(1, 2, bytes(5));
    weights.turn();
    assert.equal(weights.place(1, 1, 8), undefined, 'it is computed on');
    assert.deepEqual([...weights.values().a!, ...weights.values().b!], [1, 2, 3, 4, 5]);
  });

  it('refuses a chunk of the wrong length', () => {
    const weights = createWeightBuffer(layout);
    weights.expect(0);
    assert.throws(() => weights.accept(0, 2, bytes(1, 2)), { code: 'BAD_FRAME' });
    assert.throws(() => weights.accept(0, 3, bytes(1)), { code: 'BAD_FRAME' });
  });
});
