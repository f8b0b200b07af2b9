import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCurves } from './curves.js';
import { stepEvent } from './testing.js';

const FROM_NOTHING = { revision: -1, points: 0 };

describe('the curves of a run', () => {
  it('have a point for each step while there are few, and the mean of several when there are many', () => {
    const curves = createCurves(4);
    for (let step = 1; step <= 4; step++) curves.add(stepEvent(step, { loss: step }), 10 * step);
    const few = curves.since(FROM_NOTHING);
    assert.deepEqual(
      few.points.map(([step, at, loss]) => [step, at, loss]),
      [1, 2, 3, 4].map((step) => [step, 10 * step, step]),
    );
    curves.add(stepEvent(5, { loss: 5 }), 50);
    const many = curves.since(FROM_NOTHING);
    assert.equal(many.span, 2);
    assert.deepEqual(
      many.points.map(([step, at, loss]) => [step, at, loss]),
      [
        [2, 20, 1.5],
        [4, 40, 3.5],
        [5, 50, 5],
      ],
    );
  });

  it('are the same for whoever follows as for whoever comes late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()), { maxLength: 200 }),
        (steps) => {
          const curves = createCurves(8);
          let known = FROM_NOTHING;
          let followed: unknown[] = [];
          for (const [step, asks] of steps) {
            curves.add(stepEvent(step), step);
            if (!asks) continue;
            const { start, points } = curves.since(known);
            followed = [...followed.slice(0, start), ...points];
            known = { revision: curves.revision(), points: curves.complete() };
            assert.deepEqual(followed, curves.since(FROM_NOTHING).points);
            assert.ok(points.length <= 8);
          }
        },
      ),
    );
  });

  it('forget the steps that are done again', () => {
    const curves = createCurves();
    for (const step of [1, 2, 3, 4, 3]) curves.add(stepEvent(step), step);
    assert.deepEqual(
      curves.since(FROM_NOTHING).points.map(([step]) => step),
      [1, 2, 3],
    );
  });

  it('have a metric that comes late, and null for what is no finite number', () => {
    const curves = createCurves();
    curves.add(stepEvent(1, { loss: Number.NaN, metrics: {} }), 1);
    curves.add(stepEvent(2, { metrics: { accuracy: 0.25 } }), 2);
    const { metrics, points } = curves.since(FROM_NOTHING);
    assert.deepEqual(metrics, ['accuracy']);
    assert.deepEqual(
      points.map((point) => [point[2], point[5]]),
      [
        [null, null],
        [0.5, 0.25],
      ],
    );
  });
});
