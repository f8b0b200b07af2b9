import assert from 'node:assert/strict';
import { createSimulatedClock, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Child } from './child.js';
import { createWorkerCrew } from './worker-crew.js';

/** Processes that end when they are told to, and a crew of them. */
function crewOf({ maxRestarts = 0, spareable = false } = {}) {
  const clock = createSimulatedClock();
  const children: { name: string; killed: boolean; end: (error?: TuttiError) => void }[] = [];
  const events: RunEvent[] = [];
  const failures: TuttiError[] = [];
  const crew = createWorkerCrew({
    startWorker(name): Child {
      let end: (error?: TuttiError) => void = () => {};
      const exited = new Promise<TuttiError | undefined>((resolve) => {
        end = resolve;
      });
      const entry = { name, killed: false, end };
      children.push(entry);
      const kill = () => {
        entry.killed = true;
        end(new TuttiError('CHILD_DIED', `${name} was killed`, { remedy: '' }));
      };
      return { name, pid: 1, exited, tell: () => {}, kill, stop: async () => {} };
    },
    maxRestarts,
    spareable,
    emit: (event) => void events.push(event),
    fail: (error) => void failures.push(error),
    clock,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { crew, clock, children, events, failures, settled };
}

describe('the crew of worker processes', () => {
  it('ends a process that the coordinator has lost, and starts another in its place', async () => {
    const { crew, clock, children, events, settled } = crewOf({ maxRestarts: 1 });
    crew.start('w0');
    crew.observer.joined('w0');
    crew.observer.lost('w0', 'it hangs');
    assert.equal(children[0]!.killed, false);
    clock.advance(3000);
    assert.equal(children[0]!.killed, true);
    await settled();
    assert.deepEqual(
      children.map(({ name }) => name),
      ['w0', 'w0'],
    );
    const [restarted] = events;
    assert.equal(restarted?.event, 'worker-restarted');
    assert.match(restarted.reason, /lost and ended: it hangs/);
  });

  it('says whether another worker is to come: not where nobody replaces one that is gone', async () => {
    for (const maxRestarts of [0, 1]) {
      const { crew, children, settled } = crewOf({ maxRestarts, spareable: true });
      crew.start('w0');
      assert.equal(crew.observer.starting(), true);
      crew.observer.joined('w0');
      crew.observer.started();
      assert.equal(crew.observer.starting(), false);
      crew.observer.lost('w0', 'not heard');
      assert.equal(crew.observer.starting(), false);
      children[0]!.end(new TuttiError('CHILD_DIED', 'w0 was killed', { remedy: '' }));
      await settled();
      assert.equal(crew.observer.starting(), maxRestarts > 0);
    }
  });

  it('leaves one alone that comes back in time, and the next of that name before it joins', () => {
    const { crew, clock, children } = crewOf();
    crew.start('w0');
    // It comes from a process that had the name before.
    crew.observer.lost('w0', 'not heard');
    crew.observer.joined('w0');
    crew.observer.lost('w0', 'stopped');
    clock.advance(2999);
    crew.observer.joined('w0');
    clock.advance(10_000);
    assert.equal(children[0]!.killed, false);
  });

  it('neither replaces nor names workers that end with a job that has failed', async () => {
    const { crew, children, events, failures, settled } = crewOf({
      ...{ maxRestarts: 1, spareable: true },
    });
    for (const name of ['w0', 'w1']) crew.start(name);
    crew.observer.started();
    crew.observer.ended();
    for (const { end } of children) end(new TuttiError('DEADLINE', 'Waited', { remedy: '' }));
    await settled();
    assert.deepEqual([children.length, events, failures], [2, [], []]);
  });

  it('does without one that dies, once the run has started, where others may come', async () => {
    const { crew, children, events, failures, settled } = crewOf({ spareable: true });
    const death = () => new TuttiError('CHILD_DIED', 'it died', { remedy: 'See.' });
    crew.start('w0');
    crew.start('w1');
    children[0]!.end(death());
    await settled();
    assert.equal(failures.length, 1);
    crew.observer.started();
    children[1]!.end(death());
    await settled();
    assert.equal(failures.length, 1);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['warning'],
    );
  });
});
