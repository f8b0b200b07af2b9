import assert from 'node:assert/strict';
import type { ShardReport } from '@tutti/protocol';
import { createVerification, type Recomputed } from './verification.js';

const report = (shard: number, lossSum = 1): ShardReport => ({
  shard,
  count: 2,
  lossSum,
  metrics: {},
  computeMs: 1,
  maxAbs: 1,
});
const here = (...workers: string[]) =>
  workers.map((worker) => ({ worker, session: `of ${worker}`, shards: 2 }));

/** Four shards, one chunk: a has [0, 2), b has [2, 4). */
function begun(sums: { a?: string; b?: string } = {}) {
  let orders = 0;
  const verification = createVerification(() => ++orders);
  for (let shard = 0; shard < 4; shard++)
    verification.reported(shard < 2 ? 'a' : 'b', report(shard));
  verification.contributed('a', { lo: 0, hi: 2, chunk: 0 }, sums.a ?? 'left');
  verification.contributed('b', { lo: 2, hi: 4, chunk: 0 }, sums.b ?? 'right');
  return verification;
}

const right = (lo: number): Recomputed => ({
  digests: [lo === 0 ? 'left' : 'right'],
  reports: [report(lo), report(lo + 1)],
});

describe('the verification of a step', () => {
  it('has each node computed by somebody else, and is settled when all say the same', () => {
    const verification = begun();
    const orders = verification.orders(here('a', 'b'));
    assert.deepEqual(
      orders.map(({ worker, lo, hi }) => [worker, lo, hi]),
      [
        ['b', 0, 2],
        ['a', 2, 4],
      ],
    );
    assert.equal(verification.settled(), false);
    verification.answered('b', orders[0]!.order, right(0));
    assert.deepEqual(verification.orders(here('a', 'b')), []);
    assert.equal(verification.settled(), false);
    // Somebody else's answer, or one to nothing, is none.
    verification.answered('b', orders[1]!.order, right(2));
    verification.answered('a', 99, right(2));
    assert.equal(verification.pending().length, 1);
    verification.answered('a', orders[1]!.order, right(2));
    verification.orders(here('a', 'b'));
    assert.equal(verification.settled(), true);
    assert.equal(verification.dispute(), undefined);
  });

  it('asks a third where two differ, and names whoever is alone with it', () => {
    const verification = begun({ a: 'wrong' });
    const [first] = verification.orders(here('a', 'b', 'c')).filter(({ lo }) => lo === 0);
    verification.answered(first!.worker, first!.order, right(0));
    const [second] = verification.orders(here('a', 'b', 'c'));
    assert.notEqual(second!.worker, 'a');
    assert.notEqual(second!.worker, first!.worker);
    const open = verification.dispute();
    assert.equal(open, undefined);
    verification.answered(second!.worker, second!.order, right(0));
    assert.deepEqual(verification.orders(here('a', 'b', 'c')), []);
    assert.deepEqual(verification.dispute()?.faulty, ['a']);
    assert.equal(verification.settled(), false);
  });

  it('sees numbers that are wrong where the gradient is right', () => {
    const verification = begun();
    const [order] = verification.orders(here('a', 'b'));
    verification.answered('b', order!.order, {
      digests: ['left'],
      reports: [report(0), report(1, 7)],
    });
    const again = verification.orders(here('a', 'b'));
    assert.equal(again.length, 1);
    verification.answered(again[0]!.worker, again[0]!.order, right(0));
    verification.orders(here('a', 'b'));
    assert.deepEqual(verification.dispute()?.faulty, ['b']);
  });

  it('gives what one was asked and is gone to another, and waits if there is none', () => {
    const verification = begun();
    const [first] = verification.orders(here('a', 'b', 'c')).filter(({ lo }) => lo === 0);
    const others = ['b', 'c'].filter((name) => name !== first!.worker);
    const [again] = verification.orders(here(...others)).filter(({ lo }) => lo === 0);
    assert.equal(again!.worker, others[0]);
    // It was away for a moment.
    const back = [{ worker: others[0]!, session: 'another', shards: 2 }];
    assert.equal(verification.orders(back).filter(({ lo }) => lo === 0).length, 1);
    assert.deepEqual(verification.orders([]), []);
    assert.equal(verification.pending().length, 0);
    assert.equal(verification.settled(), false);
  });

  it('checks the larger node where it replaced smaller ones', () => {
    const verification = begun();
    verification.contributed('c', { lo: 0, hi: 4, chunk: 0 }, 'all');
    const orders = verification.orders(here('a', 'b', 'c'));
    assert.deepEqual(
      orders.map(({ lo, hi }) => [lo, hi]),
      [[0, 4]],
    );
  });

  it('has computed again beforehand what is foreseen, and the rest once it is there', () => {
    let ids = 0;
    const verification = createVerification(() => ++ids);
    const expected = [
      { worker: 'a', lo: 0, hi: 2 },
      { worker: 'b', lo: 2, hi: 4 },
    ];
    const foreseen = verification.foresee(expected, here('a', 'b', 'c'));
    assert.equal(foreseen.length, 2);
    assert.ok(foreseen.every(({ worker, lo }) => worker !== expected[lo / 2]!.worker));
    verification.answered(foreseen[0]!.worker, foreseen[0]!.order, right(0));
    // As foreseen.
    for (let shard = 0; shard < 4; shard++) verification.reported('a', report(shard));
    verification.contributed('a', { lo: 0, hi: 2, chunk: 0 }, 'left');
    // Not so: another contributed it, in two parts.
    verification.contributed('a', { lo: 2, hi: 3, chunk: 0 }, 'third');
    verification.contributed('c', { lo: 3, hi: 4, chunk: 0 }, 'fourth');
    const orders = verification.orders(here('a', 'b', 'c'));
    assert.deepEqual(
      orders.map(({ lo, hi }) => [lo, hi]),
      [
        [2, 3],
        [3, 4],
      ],
    );
    const sums = ['third', 'fourth'];
    for (const { order, worker, lo } of orders)
      verification.answered(worker, order, { digests: [sums[lo - 2]!], reports: [report(lo)] });
    verification.orders(here('a', 'b', 'c'));
    assert.equal(verification.settled(), true);
  });
});
