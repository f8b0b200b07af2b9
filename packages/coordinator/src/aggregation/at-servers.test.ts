import assert from 'node:assert/strict';
import { layoutOf } from '@tutti/parameters';
import { createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import type { Servers } from '../servers/servers.js';
import { createAggregationAtServers } from './at-servers.js';

const plan = samplePlan({ shards: 3, steps: 9, stepsPerEpoch: 9 });

/** One server, which has been asked what it lacks of a step before anybody contributed to it. */
function asked(step: number) {
  const servers = {
    ...{ living: () => [0], holders: () => [0], send() {} },
    rangeOf: () => ({ address: 'there', firstChunk: 0, chunks: 1 }),
  } as unknown as Servers;
  const aggregation = createAggregationAtServers({
    ...{ job: { plan, layout: layoutOf(plan) }, servers },
    recorder: { recording: () => false, digested() {} },
    supervisor: { heard() {} },
    clock: createSimulatedClock(),
    beginAnew() {},
    exclude() {},
    pump() {},
  });
  const ledger = aggregation.begin(step, step);
  aggregation.crewed('first', []);
  const lacks = (missing: readonly number[]) => {
    const standing = { versions: [step], step, missing: [...missing], heard: [] };
    aggregation.gathered(0, { type: 'gathered', attempt: 'first', sums: [], standing });
  };
  lacks([0, 1, 2]);
  const report = (shard: number) =>
    ledger
      .step(step)!
      .report(`w${shard}`, { shard, count: 1, lossSum: 0, metrics: {}, computeMs: 0, maxAbs: 1 });
  return { aggregation, lacks, report, missing: () => ledger.step(step)!.missing() };
}

describe('sums that servers make', () => {
  it('are not awaited of who has reported since the servers were asked what they lack', () => {
    const { report, missing } = asked(4);
    report(0);
    report(2);
    assert.deepEqual(missing(), [1]);
  });

  it('are awaited of nobody as long as a server has not answered what it lacks', () => {
    const { aggregation, report, missing, lacks } = asked(4);
    for (const shard of [0, 1, 2]) report(shard);
    aggregation.ask();
    assert.deepEqual(missing(), []);
    assert.ok(aggregation.unanswered(0));
    lacks([1]);
    assert.deepEqual(missing(), [1]);
    assert.ok(!aggregation.unanswered(0));
  });

  it('are awaited of whose contribution a server lacks though all have reported', () => {
    const { report, missing, lacks } = asked(4);
    for (const shard of [0, 1, 2]) report(shard);
    lacks([2]);
    assert.deepEqual(missing(), [2]);
    lacks([]);
    assert.deepEqual(missing(), []);
  });
});
