import assert from 'node:assert/strict';
import { createSimulatedClock } from './clock.js';
import { start } from './running.js';

interface Told {
  readonly number: number;
}

describe('running', () => {
  it('tells each event to all who listen, with the time and the job', async () => {
    const clock = createSimulatedClock(50);
    const heard: [string, unknown][] = [];
    const onEvent = ['a', 'b'].map((name) => (event: unknown) => void heard.push([name, event]));
    const running = start<Told & { readonly job?: string }, void>(
      async (emit) => {
        emit({ number: 1, job: 'j' });
        emit({ number: 2 });
      },
      { onEvent, clock },
    );
    await running.result;
    const told = [1, 2].map((number) => ({ number, at: 50, job: 'j' }));
    assert.deepEqual(
      heard,
      told.flatMap((event) => [
        ['a', event],
        ['b', event],
      ]),
    );
    const iterated = [];
    for await (const event of running) iterated.push(event);
    assert.deepEqual(iterated, told);
  });

  it('gives its events to whoever iterates, and its result to whoever awaits', async () => {
    const running = start<Told, string>(async (emit) => {
      emit({ number: 1 });
      await Promise.resolve();
      emit({ number: 2 });
      return 'done';
    });
    const events: number[] = [];
    for await (const { number } of running) events.push(number);
    assert.deepEqual(events, [1, 2]);
    assert.equal(await running.result, 'done');
  });

  it('throws to the iterator what the body threw, after the events', async () => {
    const running = start<Told, void>(async (emit) => {
      emit({ number: 1 });
      throw new Error('broken');
    });
    const events: number[] = [];
    await assert.rejects(async () => {
      for await (const { number } of running) events.push(number);
    }, /broken/);
    assert.deepEqual(events, [1]);
  });

  it('stops by its signal and by stop(), which waits and never rejects', async () => {
    const body = (_: unknown, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    const stopping = new AbortController();
    const first = start(body, { signal: stopping.signal });
    stopping.abort();
    await assert.rejects(first.result, /stopped/);
    const second = start(body);
    await second.stop();
    await assert.rejects(second.result, /stopped/);
  });
});
