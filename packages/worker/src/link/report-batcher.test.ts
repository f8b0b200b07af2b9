import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createReportBatcher } from './report-batcher.js';

const report = (shard: number) => ({ shard, count: 1, lossSum: 0, metrics: {}, computeMs: 1 });

describe('a worker that reports', () => {
  function listen() {
    const clock = createSimulatedClock();
    const told: number[][] = [];
    const batcher = createReportBatcher(clock, (reports) => told.push(reports.map((r) => r.shard)));
    const wait = (ms: number) => {
      clock.after(ms, () => {});
      clock.step();
    };
    return { batcher, told, wait };
  }

  it('says all at once where that is soon', () => {
    const { batcher, told, wait } = listen();
    for (const shard of [0, 1, 2]) {
      wait(6);
      batcher.add(report(shard));
    }
    batcher.finish();
    assert.deepEqual(told, [[0, 1, 2]]);
  });

  it('says what is done as it goes where that takes longer, and at least every second that it goes on', () => {
    const { batcher, told, wait } = listen();
    wait(20);
    batcher.add(report(0));
    wait(12);
    batcher.add(report(1));
    wait(12);
    batcher.add(report(2));
    wait(1000);
    batcher.goesOn();
    wait(1);
    batcher.goesOn();
    batcher.finish();
    assert.deepEqual(told, [[0], [1, 2], []]);
  });

  it('says that nothing was done', () => {
    const { batcher, told } = listen();
    batcher.finish();
    assert.deepEqual(told, [[]]);
  });
});
