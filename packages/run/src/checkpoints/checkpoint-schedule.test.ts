import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createCheckpointSchedule } from './checkpoint-schedule.js';

const clock = createSimulatedClock();
const plan = { metricDirections: { rms: 'less', lossless: 'more' } } as const;
const emit = () => assert.fail('There is nothing to tell.');
const evaluated = (loss: number, metric = 0) => ({
  loss,
  metrics: { accuracy: metric, meanAbsoluteError: metric, rms: metric, lossless: metric },
});

describe('checkpoint schedule', () => {
  it('has one due every so many steps, once, and not where the run starts', () => {
    const schedule = createCheckpointSchedule({
      every: { steps: 3 },
      best: undefined,
      plan,
      clock,
      emit,
    });
    schedule.startAt(3);
    const due = [3, 4, 5, 6, 6, 7, 8, 9].filter((version) => schedule.due(version, undefined, 0));
    assert.deepEqual(due, [6, 9]);
  });

  it('has one due so much time after the last', () => {
    const schedule = createCheckpointSchedule({
      every: { ms: 100 },
      best: undefined,
      plan,
      clock,
      emit,
    });
    const due = [];
    for (let version = 1; version <= 10; version++) {
      clock.advance(30);
      if (schedule.due(version, undefined, 0)) due.push(version);
    }
    assert.deepEqual(due, [4, 8]);
  });

  it('foresees the next version that is due for its time', () => {
    const init = { best: undefined, plan, clock, emit };
    const bySteps = createCheckpointSchedule({ ...init, every: { steps: 3 } });
    assert.deepEqual([0, 2, 3, 4].map(bySteps.next), [3, 3, 6, 6]);
    // One that could not be taken is due from then on.
    bySteps.due(6, undefined, 1);
    assert.equal(bySteps.next(7), 7);
    const byTime = createCheckpointSchedule({ ...init, every: { ms: 100 } });
    assert.equal(byTime.next(7), Number.POSITIVE_INFINITY);
    clock.advance(100);
    assert.equal(byTime.next(7), 7);
    assert.equal(
      createCheckpointSchedule({ ...init, every: undefined }).next(7),
      Number.POSITIVE_INFINITY,
    );
  });

  it('takes what was due while one was under way as soon as that is done', () => {
    const schedule = createCheckpointSchedule({
      every: { steps: 3 },
      best: undefined,
      plan,
      clock,
      emit,
    });
    const underWay = [0, 0, 1, 1, 0, 1, 1, 0];
    const due = underWay.flatMap((count, at) =>
      schedule.due(at + 1, undefined, count) ? [at + 1] : [],
    );
    assert.deepEqual(due, [5, 8]);
  });

  it('waits with the next while one is under way', () => {
    const schedule = createCheckpointSchedule({
      every: { ms: 100 },
      best: undefined,
      plan,
      clock,
      emit,
    });
    clock.advance(150);
    assert.equal(schedule.due(1, undefined, 1), false);
    assert.equal(schedule.due(2, undefined, 0), true);
  });

  it('has one due for every evaluation that is better, also while others are under way', () => {
    for (const [best, values, expected] of [
      ['loss', [5, 6, 4, 4, 3], [0, 2, 4]],
      ['accuracy', [0.1, 0.5, 0.4, 0.5, 0.6], [0, 1, 4]],
      ['meanAbsoluteError', [0.5, 0.6, 0.4], [0, 2]],
      ['rms', [0.5, 0.6, 0.4], [0, 2]],
      ['lossless', [0.5, 0.6, 0.4], [0, 1]],
    ] as const) {
      const schedule = createCheckpointSchedule({ every: undefined, best, plan, clock, emit });
      const due = values.flatMap((value, at) =>
        schedule.due(at, best === 'loss' ? evaluated(value) : evaluated(0, value), at) ? [at] : [],
      );
      assert.deepEqual(due, expected);
      assert.equal(schedule.due(9, undefined, 0), false);
      assert.equal(schedule.due(10, evaluated(Number.NaN, Number.NaN), 0), false);
    }
  });

  it('forgets nothing of the best when the run goes back', () => {
    const schedule = createCheckpointSchedule({
      every: { steps: 2 },
      best: 'loss',
      plan,
      clock,
      emit,
    });
    assert.equal(schedule.due(2, evaluated(1), 0), true);
    schedule.startAt(0);
    assert.equal(schedule.due(1, evaluated(2), 0), false);
    assert.equal(schedule.due(2, undefined, 0), true);
  });

  it('has the best one due again when the run goes back before it: it may not have been written', () => {
    const schedule = createCheckpointSchedule({
      every: undefined,
      best: 'loss',
      plan,
      clock,
      emit,
    });
    assert.equal(schedule.due(2, evaluated(1), 0), true);
    schedule.startAt(0);
    assert.equal(schedule.due(1, evaluated(2), 0), false);
    assert.equal(schedule.due(2, evaluated(1), 0), true);
    assert.equal(schedule.due(3, evaluated(1), 0), false);
  });

  it('warns once that the evaluation has no metric of the name', () => {
    const events: RunEvent[] = [];
    const schedule = createCheckpointSchedule({
      every: undefined,
      best: 'mae',
      plan,
      clock,
      emit: (event) => events.push(event),
    });
    for (const version of [1, 2, 3]) assert.ok(!schedule.due(version, evaluated(version), 0));
    assert.deepEqual(events, [
      {
        event: 'warning',
        code: 'BAD_CONFIG',
        message: 'The evaluation has no mae, so no checkpoint is written for the best one.',
        remedy: 'Give --checkpoint-best one of loss, accuracy, meanAbsoluteError, rms, lossless.',
      },
    ]);
  });
});
