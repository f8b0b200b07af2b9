import assert from 'node:assert/strict';
import type { JobPlan } from '@tutti/protocol';
import { samplePlan } from '@tutti/testing';
import { createLedger, type LedgerStep } from './ledger.js';

const plan: JobPlan = { ...samplePlan(), steps: 100, stepsPerEpoch: 10 };

function open(version: number, most = version) {
  const createStep = (step: number) =>
    ({ step, begun: () => false, release() {} }) as unknown as LedgerStep;
  return createLedger({ plan, version, most, createStep });
}

describe('the ledger', () => {
  it('takes what comes of the step under way and of the next', () => {
    const ledger = open(5);
    const reach = [4, 5, 6, 7].map((at) => ledger.step(at)?.step);
    assert.deepEqual(reach, [undefined, 5, 6, undefined]);
    assert.equal(ledger.stepBegun(), false);
    ledger.advance();
    assert.deepEqual(ledger.step(7)?.step, 7);
  });

  it('takes what comes of steps that servers may have done by themselves, and takes none of them back', () => {
    const ledger = open(5);
    assert.equal(ledger.allowed(), 5);
    ledger.allow(8);
    ledger.allow(7);
    assert.equal(ledger.allowed(), 8);
    const reach = [5, 9, 10].map((at) => ledger.step(at)?.step);
    assert.deepEqual(reach, [5, 9, undefined]);
    assert.equal(ledger.stepBegun(), true);
    for (let version = 5; version < 8; version++) ledger.advance();
    assert.equal(ledger.stepBegun(), false);
    assert.equal(ledger.allowed(), 8);
  });

  it('knows what an evaluation lacks, shard by shard as all together', () => {
    const evaluated = { ...plan, shards: 3, evaluationExamples: 3 };
    const createStep = () => ({ release() {} }) as unknown as LedgerStep;
    const ledger = createLedger({ plan: evaluated, version: 10, most: 10, createStep });
    const report = { shard: 1, count: 1, lossSum: 1, metrics: {}, computeMs: 1 };
    ledger.evaluation(10)!.set(1, report);
    assert.deepEqual(ledger.unevaluated(), [0, 2]);
    assert.deepEqual([0, 1, 2].filter(ledger.isUnevaluated), [0, 2]);
    assert.equal(open(10).isUnevaluated(0), false);
  });

  it('knows that a server has begun with a step that a coordinator before had ordered', () => {
    const ledger = open(5, 6);
    assert.equal(ledger.stepBegun(), true);
    ledger.advance();
    assert.equal(ledger.stepBegun(), false);
  });
});
