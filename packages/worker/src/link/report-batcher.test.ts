import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createSpeaker } from './report-batcher.js';

const report = (shard: number) => ({ shard, count: 1, lossSum: 0, metrics: {}, computeMs: 1 });

describe('a worker that reports', () => {
  function listen() {
    const clock = createSimulatedClock();
    const told: number[][] = [];
    const speaker = createSpeaker(clock, (reports) => told.push(reports.map((r) => r.shard)));
    const wait = (ms: number) => {
      clock.after(ms, () => {});
      clock.step();
    };
    return { speaker, told, wait };
  }

  it('says all at once where that is soon', () => {
    const { speaker, told, wait } = listen();
    for (const shard of [0, 1, 2]) {
      wait(6);
      speaker.add(report(shard));
    }
    speaker.finish();
    assert.deepEqual(told, [[0, 1, 2]]);
  });

  it('says what is done as it goes where that takes longer, and at least every second that it goes on', () => {
    const { speaker, told, wait } = listen();
    wait(20);
    speaker.add(report(0));
    wait(12);
    speaker.add(report(1));
    wait(12);
    speaker.add(report(2));
    wait(1000);
    speaker.goesOn();
    wait(1);
    speaker.goesOn();
    speaker.finish();
    assert.deepEqual(told, [[0], [1, 2], []]);
  });

  it('says that nothing was done', () => {
    const { speaker, told } = listen();
    speaker.finish();
    assert.deepEqual(told, [[]]);
  });
});
