import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import { type Body, type Contribution, examplesOf, type JobPlan } from '@tutti/protocol';
import { NO_TIMELINE } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { createAggregator } from './aggregator.js';

const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** Three chunks of two floats, of which the first two are held here. */
const PLAN: JobPlan = {
  ...samplePlan(),
  shards: 3,
  parameters: [{ name: 'w', shape: [6] }],
  chunkFloats: 2,
};

function open(plan = PLAN) {
  const sent: [peer: string, body: Body][] = [];
  const deferred: (() => void)[] = [];
  const versions = [4, 4];
  const kernels = createKernels();
  const applied: string[] = [];
  const aggregator = createAggregator({
    ...{ plan, kernels, layout: layoutOf(plan), chunks: [0, 1], timeline: NO_TIMELINE },
    version: (chunk) => versions[chunk]!,
    apply({ step, count, scale, rate }, chunk) {
      applied.push(`${step}/${chunk}: ${count} ${scale} ${rate}`);
      versions[chunk] = step + 1;
      aggregator.applied(step, chunk);
      return `digest ${step}/${chunk}`;
    },
    send: (peer, body) => sent.push([peer, body]),
    defer: (task) => deferred.push(task),
  });
  const gather = (attempt: string, ...workers: string[]) =>
    aggregator.gather('coordinator', { type: 'gather', attempt, workers });
  /** From worker s0 in attempt a, at step 4, if it is not said otherwise. */
  function contribute(
    of: Partial<Contribution> & { readonly session?: string },
    ...values: number[]
  ) {
    const { session = 's0', ...rest } = of;
    const node = { type: 'contribution', step: 4, lo: 0, hi: 3, chunk: 0, attempt: 'a' } as const;
    aggregator.contribute(`peer of ${session}`, session, { ...node, ...rest }, bytes(...values));
  }
  /** What has been sent since this was asked last, once what was deferred is done. */
  function told() {
    while (deferred.length > 0) deferred.shift()!();
    return sent.splice(0);
  }
  return { aggregator, versions, applied, gather, contribute, told };
}

describe('the aggregator', () => {
  it('adds along the tree, and tells together what becomes complete together', () => {
    const { aggregator, gather, contribute, told } = open();
    gather('a', 's0', 's1');
    told();
    contribute({ lo: 2 }, 0.1, 1);
    contribute({ session: 's1', hi: 2 }, 0.2, 2);
    // What is covered already changes nothing.
    contribute({ session: 's1', lo: 2 }, 9, 9);
    contribute({ chunk: 1 }, 5, 6);
    const sum = Math.fround(Math.fround(0.2) + Math.fround(0.1));
    assert.deepEqual([...aggregator.sum(4, 0)!.values], [sum, 3]);
    assert.deepEqual([...aggregator.sum(4, 1)!.values], [5, 6]);
    const sums = [0, 1].map((chunk) => ({ step: 4, chunk, finite: true }));
    assert.deepEqual(told(), [['coordinator', { type: 'gathered', attempt: 'a', sums }]]);
  });

  it('tells what it has, and what that lacks, whenever it is asked', () => {
    const { versions, gather, contribute, told } = open();
    gather('a', 's0', 's1');
    const standing = { versions: [4, 4], step: 4, missing: [0, 1, 2], heard: [] };
    const nothing = { type: 'gathered', attempt: 'a', sums: [] };
    assert.deepEqual(told(), [['coordinator', { ...nothing, standing }]]);
    contribute({ chunk: 1 }, 1, Number.POSITIVE_INFINITY);
    contribute({ session: 's1', hi: 2 }, 1, 2);
    gather('a', 's0', 's1');
    const sums = [{ step: 4, chunk: 1, finite: false }];
    const later = { ...standing, missing: [2], heard: ['s0', 's1'] };
    assert.deepEqual(told(), [
      ['coordinator', { type: 'gathered', attempt: 'a', sums }],
      ['coordinator', { ...nothing, standing: later }],
    ]);
    versions[1] = 5;
    gather('a', 's0');
    const last = { ...standing, versions: [4, 5], missing: [2] };
    assert.deepEqual(told().at(-1), ['coordinator', { ...nothing, standing: last }]);
  });

  it('applies what it is permitted to, and tells of it with what its workers reported', () => {
    const { aggregator, applied, gather, contribute, told } = open();
    const permit = { type: 'permit', until: 5, rate: 0.5, recorded: true, known: 3 } as const;
    const report = { shard: 0, count: 2, lossSum: 1, metrics: {}, computeMs: 1, maxAbs: 1 };
    gather('a', 's0');
    contribute({ reports: [report] }, 1, 2);
    // Of another attempt.
    aggregator.permit({ ...permit, attempt: 'b' });
    assert.deepEqual(applied, []);
    // What is there already, too.
    aggregator.permit({ ...permit, attempt: 'a' });
    contribute({ chunk: 1 }, 1, 2);
    const count = examplesOf(PLAN, 4);
    assert.deepEqual(applied, [`4/0: ${count} 1 0.5`, `4/1: ${count} 1 0.5`]);
    assert.equal(aggregator.permits(4), true);
    assert.equal(aggregator.permits(5), false);
    const digests = ['digest 4/0', 'digest 4/1'];
    const advanced = { type: 'advanced', step: 4, attempt: 'a', chunks: [0, 1], digests };
    assert.deepEqual(told().at(-1), ['coordinator', advanced]);
    // Beyond, and what is not finite, takes an order; and a lost report can be had.
    contribute({ step: 5 }, 1, 2);
    assert.equal(applied.length, 2);
    gather('a', 's0');
    const bodies = told().map(([, body]) => body);
    const reports = { step: 4, shards: [report] };
    assert.ok(bodies.some((body) => 'reports' in body && isDeepStrictEqual(body.reports, reports)));
    aggregator.permit({ ...permit, attempt: 'a', until: 6, known: 5 });
    assert.equal(applied.length, 3);
    contribute({ step: 5, chunk: 1 }, 1, Number.NaN);
    assert.equal(applied.length, 3);
    gather('a', 's0');
    assert.ok(told().every(([, body]) => !('reports' in body)));
  });

  it('tells the squares of each block where the norm is clipped', () => {
    const optimizer = { ...PLAN.optimizer, clipNorm: 1 };
    const { gather, contribute, told } = open({ ...PLAN, optimizer });
    gather('a', 's0');
    told();
    contribute({}, 3, 4);
    const sums = [{ step: 4, chunk: 0, finite: true, squares: [25] }];
    assert.deepEqual(told(), [['coordinator', { type: 'gathered', attempt: 'a', sums }]]);
  });

  it('takes nothing from who is not admitted, who may say it again once that is known', () => {
    const { aggregator, gather, contribute, told } = open();
    contribute({}, 1, 2);
    gather('b', 's0');
    contribute({}, 1, 2);
    contribute({ session: 'stranger' }, 1, 2);
    assert.deepEqual(
      told().filter(([, { type }]) => type === 'repeat'),
      [],
    );
    assert.equal(aggregator.sum(4, 0), undefined);
    gather('a', 's0');
    assert.deepEqual(told().at(-1), ['peer of s0', { type: 'repeat', attempt: 'a' }]);
    contribute({}, 1, 2);
    assert.deepEqual([...aggregator.sum(4, 0)!.values], [1, 2]);
    // It is said once.
    gather('a', 's0');
    assert.equal(told().at(-1)![0], 'coordinator');
    // Who is excluded is not listened to from then on.
    gather('a');
    contribute({ chunk: 1 }, 1, 2);
    assert.equal(aggregator.sum(4, 1), undefined);
  });

  it('forgets what came of another attempt, and nothing when the workers change', () => {
    const { aggregator, gather, contribute } = open();
    gather('a', 's0');
    contribute({}, 1, 2);
    gather('a', 's1');
    assert.ok(aggregator.sum(4, 0));
    gather('b', 's1');
    assert.equal(aggregator.sum(4, 0), undefined);
  });

  it('names who sends what is no sum of a node, or of a chunk that is elsewhere', () => {
    const { gather, contribute, told } = open();
    gather('a', 's0', 's1');
    told();
    contribute({ session: 's1', lo: 1 }, 1, 2);
    contribute({ session: 's1', lo: 2 }, 1, 2, 3);
    contribute({ session: 's1', chunk: 2 }, 1, 2);
    const node = { step: 4, lo: 0, hi: 3, chunk: 0 };
    const misfit = { type: 'misfit', worker: 's1' };
    assert.deepEqual(told(), [
      ['coordinator', { ...misfit, contribution: { ...node, lo: 1 }, bytes: 8 }],
      ['coordinator', { ...misfit, contribution: { ...node, lo: 2 }, bytes: 12 }],
      ['coordinator', { ...misfit, contribution: { ...node, chunk: 2 }, bytes: 8 }],
    ]);
  });

  it('takes a step once in an attempt, and the one before for a coordinator that is back', () => {
    const { aggregator, versions, gather, contribute } = open();
    gather('a', 's0');
    contribute({}, 1, 2);
    versions[0] = 5;
    aggregator.applied(4, 0);
    contribute({}, 1, 2);
    assert.equal(aggregator.sum(4, 0), undefined);
    contribute({ step: 7 }, 1, 2);
    assert.equal(aggregator.sum(7, 0), undefined);
    gather('b', 's0');
    contribute({ attempt: 'b' }, 1, 2);
    contribute({ attempt: 'b', step: 5 }, 3, 4);
    contribute({ attempt: 'b', step: 3 }, 3, 4);
    assert.deepEqual([...aggregator.sum(4, 0)!.values], [1, 2]);
    assert.deepEqual([...aggregator.sum(5, 0)!.values], [3, 4]);
    assert.equal(aggregator.sum(3, 0), undefined);
  });

  it('takes the next step of who has got the weights before it elsewhere, and applies that in its turn', () => {
    const { aggregator, versions, gather, contribute } = open();
    gather('a', 's0');
    contribute({ step: 5 }, 3, 4);
    assert.deepEqual([...aggregator.sum(5, 0)!.values], [3, 4]);
    contribute({}, 1, 2);
    assert.deepEqual([...aggregator.sum(4, 0)!.values], [1, 2]);
    versions[0] = 5;
    aggregator.applied(4, 0);
    assert.deepEqual([...aggregator.sum(5, 0)!.values], [3, 4]);
    assert.equal(aggregator.sum(4, 0), undefined);
  });

  it('gives back what was made once more of a step that it has applied, with the next', () => {
    const { aggregator, versions, gather, contribute } = open();
    versions[0] = 5;
    gather('b', 's0');
    contribute({ attempt: 'b' }, 1, 2);
    contribute({ attempt: 'b', step: 5 }, 3, 4);
    versions[0] = 6;
    aggregator.applied(5, 0);
    assert.equal(aggregator.sum(4, 0), undefined);
  });

  it('has contributions read to where they are added', () => {
    const { aggregator, gather } = open();
    const node: Contribution = {
      ...{ type: 'contribution', step: 4, lo: 0, hi: 3, chunk: 0, attempt: 'a' },
    };
    assert.equal(aggregator.landing(node, 's0', 8), undefined);
    gather('a', 's0');
    assert.equal(aggregator.landing(node, 's0', 12), undefined);
    assert.equal(aggregator.landing({ ...node, chunk: 2 }, 's0', 8), undefined);
    assert.equal(aggregator.landing({ ...node, step: 6 }, 's0', 8), undefined);
    const place = aggregator.landing(node, 's0', 8)!;
    place.set(bytes(1, 2));
    aggregator.contribute('peer', 's0', node, place);
    assert.equal(aggregator.sum(4, 0)!.bytes, place);
  });
});
