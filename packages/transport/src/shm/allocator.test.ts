import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAllocator } from './allocator.js';

describe('allocator', () => {
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
        const allocator = createAllocator(100);
        const out: [number, number][] = [];
        for (const action of list) {
          if ('give' in action) {
            const [back] = out.splice(action.give, 1);
            if (back !== undefined) allocator.free(back[0], back[1] - back[0]);
            continue;
          }
          const start = allocator.allocate(action.take);
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
    const allocator = createAllocator(100);
    for (let i = 0; i < 5000; i++) {
      assert.equal(allocator.allocate(30), 0);
      assert.equal(allocator.allocate(30), 30);
      allocator.free(0, 30);
      assert.equal(allocator.allocate(30), 0);
      allocator.free(30, 30);
      allocator.free(0, 30);
    }
    assert.equal(allocator.allocate(100), 0);
    assert.equal(allocator.allocate(1), undefined);
    allocator.free(0, 100);
    assert.equal(allocator.allocate(101), undefined);
  });

  it('gives out only what came back, once it is sealed', () => {
    const allocator = createAllocator(100);
    assert.equal(allocator.allocate(30), 0);
    assert.equal(allocator.allocate(30), 30);
    allocator.seal();
    assert.equal(allocator.allocate(30), undefined);
    allocator.free(0, 30);
    assert.equal(allocator.allocate(20), undefined);
    assert.equal(allocator.allocate(30), 0);
    allocator.free(0, 30);
    allocator.free(30, 30);
    assert.equal(allocator.allocate(61), undefined);
    assert.equal(allocator.allocate(60), 0);
  });
});
