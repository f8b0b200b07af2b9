import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createStragglers } from './stragglers.js';

describe('stragglers', () => {
  it('are helped after twice the median of the step, when half have reported', () => {
    const stragglers = createStragglers();
    stragglers.begin(0, 4, 1000);
    stragglers.arrived(0, 'w0', 1100);
    stragglers.arrived(0, 'w0', 1150);
    assert.equal(stragglers.lateMs, undefined);
    stragglers.arrived(0, 'w1', 1100);
    assert.equal(stragglers.lateMs, 200);
    assert.deepEqual([...stragglers.help([2, 3], ['w4'], 1199)], []);
    assert.deepEqual([...stragglers.help([2, 3], ['w4'], 1200)], [['w4', [2, 3]]]);
  });

  it('are known by earlier steps while nobody has reported', () => {
    const stragglers = createStragglers();
    for (let step = 0; step < 3; step++) {
      stragglers.begin(step, 1, 1000 * step);
      assert.equal(stragglers.lateMs, undefined);
      stragglers.end(1000 * step + 50);
    }
    stragglers.begin(3, 1, 3000);
    assert.equal(stragglers.lateAt, 3100);
  });

  it('are given more time where times differ much', () => {
    const stragglers = createStragglers();
    stragglers.begin(0, 5, 0);
    for (const now of [100, 200, 150]) stragglers.arrived(0, `w${now}`, now);
    assert.equal(stragglers.lateMs, 150 + 5 * 50);
  });

  it('may be measured by who reported before the step was known to have begun', () => {
    const stragglers = createStragglers();
    stragglers.begin(0, 2, 0);
    stragglers.arrived(1, 'w0', 90);
    stragglers.begin(1, 2, 100);
    assert.equal(stragglers.lateMs, 20);
  });

  it('have one helper each, and another when that is gone', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1 }),
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 6 }),
        (missing, idle) => {
          const stragglers = createStragglers();
          stragglers.begin(0, 2, 0);
          stragglers.arrived(0, 'w0', 30);
          const given = stragglers.help(missing, idle, 60);
          assert.deepEqual([...given.values()].flat().sort(), [...missing].sort());
          assert.deepEqual([...stragglers.help(missing, idle, 90)], []);
          const most = Math.ceil(missing.length / idle.length);
          for (const shards of given.values()) assert.ok(shards.length <= most);
          const [gone, ...others] = idle as [string, ...string[]];
          stragglers.gone(gone);
          const again = [...stragglers.help(missing, others, 100).values()].flat();
          assert.deepEqual(again.sort(), [...(given.get(gone) ?? [])].sort());
        },
      ),
    );
  });
});
