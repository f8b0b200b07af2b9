import assert from 'node:assert/strict';
import { start } from './running.js';

describe('running', () => {
  it('gives its events to whoever iterates, and its result to whoever awaits', async () => {
    const running = start<number, string>(async (emit) => {
      emit(1);
      await Promise.resolve();
      emit(2);
      return 'done';
    });
    const events = [];
    for await (const event of running) events.push(event);
    assert.deepEqual(events, [1, 2]);
    assert.equal(await running.result, 'done');
  });

  it('throws to the iterator what the body threw, after the events', async () => {
    const running = start<number, void>(async (emit) => {
      emit(1);
      throw new Error('broken');
    });
    const events: number[] = [];
    await assert.rejects(async () => {
      for await (const event of running) events.push(event);
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
