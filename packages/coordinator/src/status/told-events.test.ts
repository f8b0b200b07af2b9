import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createToldEvents } from './told-events.js';

const step = (at: number): RunEvent => ({
  ...{ event: 'step', step: at, epoch: 1, loss: 0.5, metrics: {}, examples: at },
  ...{ examplesPerSecond: 1, stepMs: 1 },
});
const joined: RunEvent = { event: 'worker-joined', worker: 'w0', workers: 1 };
const stepsOf = (events: readonly Readonly<Record<string, unknown>>[]) =>
  events.map((event) => event.step);

describe('the events that a coordinator has told', () => {
  it('come once to somebody who asks again and again, each with its time and its job', () => {
    const clock = createSimulatedClock(1000);
    const told = createToldEvents(clock);
    clock.advance(5);
    told.tell(joined, null);
    const first = told.since({ begun: 0, next: 0 });
    assert.deepEqual(first.events, [{ ...joined, at: 1005, job: null }]);
    told.tell(step(1), 'j');
    const second = told.since(first);
    assert.deepEqual(stepsOf(second.events), [1]);
    assert.deepEqual(told.since(second).events, []);
  });

  it('come in parts, the whole run however long it was', () => {
    const told = createToldEvents(createSimulatedClock(1000));
    told.tell(joined, 'j');
    for (let at = 1; at <= 10_000; at++) told.tell(step(at), 'j');
    const events = [];
    let place = { begun: 0, next: 0 };
    for (;;) {
      const part = told.since(place);
      assert.ok(part.events.length <= 250);
      events.push(...part.events);
      place = part;
      if (!part.more) break;
    }
    const [first, ...steps] = stepsOf(events) as number[];
    assert.equal(first, undefined);
    const everyEighth = Array.from({ length: 1250 }, (_, at) => 1 + 8 * at);
    assert.deepEqual(steps, everyEighth);
    for (let at = 10_001; at <= 10_009; at++) told.tell(step(at), 'j');
    assert.deepEqual(stepsOf(told.since(place).events), [10_001, 10_009]);
  });

  it('begin anew with a coordinator that was started again', () => {
    const before = createToldEvents(createSimulatedClock(1000));
    for (let at = 1; at <= 5; at++) before.tell(step(at), 'j');
    const place = before.since({ begun: 0, next: 0 });
    const after = createToldEvents(createSimulatedClock(9000));
    for (let at = 4; at <= 9; at++) after.tell(step(at), 'j');
    assert.deepEqual(stepsOf(after.since(place).events), [4, 5, 6, 7, 8, 9]);
  });
});
