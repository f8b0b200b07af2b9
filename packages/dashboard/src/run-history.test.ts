import assert from 'node:assert/strict';
import type { JobStatus } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createRunHistory } from './run-history.js';
import { at, joined, lost, startedEvent, stepEvent, T0 } from './testing.js';

const ADDRESS = 'tcp://a:1';
const worker = (name: string) => ({ name, host: 'h', pid: 7, shards: [0], heardMs: 5 });
const status = (fields: Partial<JobStatus> = {}): JobStatus => ({
  ...{ job: 'j1', program: 'line', phase: 'training', runningMs: 5, step: 3, steps: 100 },
  ...{ epoch: 1, epochs: 2, shards: 4, storedParameters: 30, startsWith: 2 },
  ...{ workers: [worker('w0'), worker('w1')], servers: [], waits: [] },
  ...fields,
});

function setUp() {
  const clock = createSimulatedClock(T0);
  return { clock, history: createRunHistory({ clock, program: 'a file' }) };
}

describe('the history of a run', () => {
  it('has something to say from the first moment', () => {
    const { history } = setUp();
    const { phase, program, steps, loss, workers, over } = history.view();
    assert.deepEqual(
      { phase, program, steps, loss, workers, over },
      { phase: 'starting', program: 'a file', steps: 0, loss: null, workers: [], over: false },
    );
  });

  it('marks where a worker was lost and where another came, and who takes part', () => {
    const { history } = setUp();
    for (const event of [
      ...[at(0, joined('w0', 1)), at(1, joined('w1', 2)), at(2, startedEvent())],
      ...[at(40, stepEvent(1)), at(70, stepEvent(2)), at(80, lost('w1', 1))],
      ...[at(90, stepEvent(3)), at(95, joined('w1', 2)), at(99, stepEvent(4))],
    ])
      history.event(event);
    const { marks, workers, phase, step } = history.view();
    assert.deepEqual([phase, step], ['training', 4]);
    assert.deepEqual(
      marks.map(({ tone, title, step, at }) => [tone, title, step, at - T0]),
      [
        ['fault', 'w1 was lost', 2, 80],
        ['recovery', 'w1 joined', 3, 95],
      ],
    );
    assert.match(marks[0]!.detail, /The others take its shards over; the result stays the same/);
    const spans = [
      { from: T0 + 1, to: T0 + 80 },
      { from: T0 + 95, to: null },
    ];
    assert.deepEqual(workers[1], { name: 'w1', here: true, spans });
  });

  it('tells a wait once, however long it lasts, and forgets it with the next step', () => {
    const { history } = setUp();
    const waiting = (sinceMs: number) => ({
      ...{ event: 'waiting' as const, who: 'worker w0', what: 'send', sinceMs, remedy: 'See.' },
    });
    history.event(at(0, startedEvent()));
    history.event(at(5, stepEvent(1)));
    for (const ms of [10_000, 20_000, 30_000]) history.event(at(ms, waiting(ms)));
    const { waits, marks } = history.view();
    assert.deepEqual(
      waits.map(({ sinceMs }) => sinceMs),
      [30_000],
    );
    assert.equal(marks.length, 1);
    assert.equal(marks[0]!.at, T0 + 10_000);
    assert.match(marks[0]!.detail, /for 30 s/);
    history.event(at(31_000, stepEvent(2)));
    assert.deepEqual(history.view().waits, []);
    history.event(at(50_000, waiting(10_000)));
    assert.equal(history.view().marks.length, 2);
  });

  it('takes the word of the coordinator, and says since when that is silent', () => {
    const { clock, history } = setUp();
    history.status(ADDRESS, status({ wireBytesPerStep: 4000 }));
    let view = history.view();
    assert.deepEqual(
      [view.program, view.step, view.steps, view.wireBytesPerStep],
      ['line', 3, 100, 4000],
    );
    assert.deepEqual(
      view.workers.map(({ name, here, pid }) => [name, here, pid]),
      [
        ['w0', true, 7],
        ['w1', true, 7],
      ],
    );
    clock.advance(1000);
    history.status(ADDRESS, undefined);
    clock.advance(1000);
    history.status(ADDRESS, undefined);
    view = history.view();
    assert.deepEqual(view.coordinator, { address: ADDRESS, silentSince: T0 + 1000 });
    assert.equal(view.step, 3);
    clock.advance(1000);
    // It has come back, without one of its workers.
    history.status(ADDRESS, status({ step: 5, workers: [worker('w0')] }));
    view = history.view();
    assert.equal(view.coordinator?.silentSince, null);
    assert.deepEqual(view.workers[1]!.spans, [{ from: T0, to: T0 + 3000 }]);
  });

  it('does not fall behind its events where the coordinator was asked a while ago', () => {
    const { history } = setUp();
    history.status(ADDRESS, status({ phase: 'gathering workers', step: 0 }));
    for (const event of [at(0, startedEvent()), at(1, stepEvent(1))]) history.event(event);
    assert.equal(history.view().phase, 'training');
  });

  it('knows an end, a failure, a stop and the lack of any', () => {
    const finished = at(900, {
      ...{ event: 'finished', steps: 100, examples: 3200, loss: 0.1, metrics: { accuracy: 1 } },
      ...{ digest: 'ab'.repeat(32), examplesPerSecond: 900, wireBytesPerStep: 512 },
      ...{ storedParameters: 30, modelPath: 'runs/line/run-0001/step-000000100' },
    });
    const failed = (code: 'ABORTED' | 'NOT_FINITE') =>
      at(900, { event: 'failed', code, message: 'It broke', remedy: 'Mend it.', details: {} });
    const ends = [finished, failed('NOT_FINITE'), failed('ABORTED')].map((end) => {
      const { history } = setUp();
      for (const event of [at(0, startedEvent()), at(1, joined('w0', 1)), end])
        history.event(event);
      history.complete();
      const { phase, over, endedAt, workers } = history.view();
      assert.deepEqual([over, endedAt, workers[0]!.spans[0]!.to], [true, T0 + 900, T0 + 900]);
      return [phase, history.view().failure?.code, history.view().result?.loading.length];
    });
    assert.deepEqual(ends, [
      ['finished', undefined, 3],
      ['failed', 'NOT_FINITE', undefined],
      ['stopped', undefined, undefined],
    ]);
    const { history } = setUp();
    history.event(at(0, startedEvent()));
    history.event(at(7, stepEvent(1)));
    history.complete();
    const { phase, over, endedAt } = history.view();
    assert.deepEqual([phase, over, endedAt], ['cut off', true, T0 + 7]);
  });

  it('goes on after an end where the run was taken up again', () => {
    const { history } = setUp();
    const failed = { event: 'failed' as const, code: 'ABORTED' as const, message: '', remedy: '' };
    for (const event of [
      ...[at(0, startedEvent()), at(5, stepEvent(1)), at(8, stepEvent(2)), at(9, stepEvent(3))],
      at(10, { ...failed, details: {} }),
      at(500, startedEvent({ resumed: { step: 2, path: 'runs/line/run-0001/step-000000002' } })),
      at(510, stepEvent(3, { loss: 7 })),
    ])
      history.event(event);
    const view = history.view();
    assert.deepEqual([view.over, view.phase, view.step], [false, 'training', 3]);
    const { points } = history.curves.since({ revision: -1, points: 0 });
    assert.deepEqual(
      points.map(([step, , loss]) => [step, loss]),
      [
        [1, 1],
        [2, 0.5],
        [3, 7],
      ],
    );
    assert.ok(view.marks.some(({ title }) => title === 'Goes on from step 2'));
  });

  it('stays small, whatever happens', () => {
    const { history } = setUp();
    history.event(at(0, startedEvent({ steps: 1e6 })));
    for (let i = 1; i <= 9000; i++) {
      history.event(at(10 * i, stepEvent(i)));
      if (i > 1500) continue;
      history.event(at(10 * i + 1, joined(`w${i}`, 2)));
      history.event(at(10 * i + 2, lost(`w${i}`, 1)));
    }
    assert.ok(JSON.stringify(history.view()).length < 250_000);
    assert.ok(history.curves.since({ revision: -1, points: 0 }).points.length <= 3000);
  });
});
