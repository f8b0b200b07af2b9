import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRoom } from './allocator.js';

describe('room', () => {
  it('never gives out what has not come back', () => {
    const actions = fc.array(
      fc.oneof(
        fc.record({ take: fc.constantFrom(7, 20, 40) }),
        fc.record({ give: fc.integer({ min: 0, max: 20 }) }),
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(actions, (list) => {
        const room = createRoom(100);
        const out: [number, number][] = [];
        for (const action of list) {
          if ('give' in action) {
            const [back] = out.splice(action.give, 1);
            if (back !== undefined) room.give(back[0], back[1] - back[0]);
            continue;
          }
          const start = room.take(action.take);
          if (start === undefined) {
            assert.ok(out.length > 0, 'where nothing is out there is room for what fits');
            continue;
          }
          const end = start + action.take;
          assert.ok(start >= 0 && end <= 100);
          for (const [from, to] of out) assert.ok(end <= from || start >= to);
          out.push([start, end]);
        }
      }),
    );
  });

  it('gives out again what came back last, and all anew when nothing is out', () => {
    const room = createRoom(100);
    for (let i = 0; i < 5000; i++) {
      assert.equal(room.take(30), 0);
      assert.equal(room.take(30), 30);
      room.give(0, 30);
      assert.equal(room.take(30), 0);
      room.give(30, 30);
      room.give(0, 30);
    }
    assert.equal(room.take(100), 0);
    assert.equal(room.take(1), undefined);
    room.give(0, 100);
    assert.equal(room.take(101), undefined);
  });
});
