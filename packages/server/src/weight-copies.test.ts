import assert from 'node:assert/strict';
import { createWeightCopies } from './weight-copies.js';

describe('copies of weights for sockets', () => {
  it('are written over only when their version is recycled', () => {
    const copies = createWeightCopies();
    const first = copies.make(1, Uint8Array.of(1, 1, 1, 1));
    const second = copies.make(2, Uint8Array.of(2, 2, 2, 2));
    copies.recycle(0);
    assert.notEqual(copies.make(3, Uint8Array.of(3, 3, 3, 3)), first);
    assert.deepEqual([...first], [1, 1, 1, 1]);
    copies.recycle(1);
    assert.equal(copies.make(4, Uint8Array.of(4, 4, 4, 4)), first);
    assert.deepEqual([...second], [2, 2, 2, 2]);
  });
});
