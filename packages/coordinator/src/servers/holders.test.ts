import assert from 'node:assert/strict';
import { createLayout } from '@tutti/parameters';
import { createHolders } from './holders.js';

/** Two ranges of five chunks, and five servers: the first range has one more. */
function ofTwoRanges() {
  const holders = createHolders(2, () => 5);
  holders.cut(createLayout([{ name: 'w', shape: [5] }], 1));
  const roles = () => [0, 1, 2, 3, 4].map(holders.roleOf);
  return { holders, roles };
}

describe('who holds a range', () => {
  it('is one server and its standbys, which come in rounds', () => {
    const { holders, roles } = ofTwoRanges();
    assert.deepEqual(roles(), ['primary', 'primary', 'standby', 'standby', 'standby']);
    assert.deepEqual(holders.rangeOf(4), holders.rangeOf(0));
    const { firstChunk } = holders.rangeOf(1);
    assert.deepEqual(holders.holders(firstChunk - 1), [0, 2, 4]);
    assert.deepEqual(holders.holders(firstChunk), [1, 3]);
    assert.deepEqual(holders.siblings(3), [1, 3]);
  });

  it('is no longer one that was given up, until it has what the others have', () => {
    const { holders, roles } = ofTwoRanges();
    holders.giveUp(0, 'it was silent');
    assert.deepEqual(roles(), ['lost', 'primary', 'primary', 'standby', 'standby']);
    assert.deepEqual(holders.primaries(), [2, 1]);
    assert.deepEqual(holders.siblings(0), [2, 4]);
    assert.equal(holders.reasonOf(0), 'it was silent');
    for (const server of [0, 1]) holders.present(server, true);
    assert.deepEqual(holders.returned(), [0]);
    holders.present(0, false);
    assert.deepEqual(holders.returned(), []);
    holders.present(0, true);
    holders.readmit(0);
    assert.deepEqual([holders.returned(), holders.isGivenUp(0)], [[], false]);
    assert.deepEqual(holders.primaries(), [0, 1]);
  });

  it('has nobody beside it where none stands by any more', () => {
    const { holders } = ofTwoRanges();
    for (const server of [2, 4]) holders.giveUp(server, 'gone');
    assert.ok(holders.replicated());
    holders.giveUp(1, 'gone');
    assert.ok(!holders.replicated());
    assert.deepEqual(holders.living(), [0, 3]);
  });
});
