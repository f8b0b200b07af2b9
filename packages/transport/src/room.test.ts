import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRing } from './ring.js';

describe('ring', () => {
  it('never gives out what has not come back', () => {
    const actions = fc.array(
      fc.oneof(
        fc.record({ take: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ release: fc.integer({ min: 0, max: 4 }) }),
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(actions, (list) => {
        const ring = createRing(100);
        const out: [number, number][] = [];
        for (const action of list) {
          if ('release' in action) {
            ring.release(Math.min(action.release, out.length));
            out.splice(0, action.release);
            continue;
          }
          const start = ring.take(action.take);
          if (start === undefined) {
            assert.ok(out.length > 0, 'an empty ring has room for what fits');
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

  it('starts again at the beginning when nothing is out', () => {
    const ring = createRing(100);
    for (let i = 0; i < 5000; i++) {
      assert.equal(ring.take(30), 0);
      assert.equal(ring.take(30), 30);
      ring.release(2);
    }
    assert.equal(ring.take(101), undefined);
  });
});
