import assert from 'node:assert/strict';
import type { ShardReport } from '@tutti/protocol';
import { createCrossCheck, type Recomputed } from './cross-check.js';

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
  const check = createCrossCheck(() => ++orders);
  for (let shard = 0; shard < 4; shard++) check.reported(shard < 2 ? 'a' : 'b', report(shard));
  check.contributed('a', { lo: 0, hi: 2, chunk: 0 }, sums.a ?? 'left');
  check.contributed('b', { lo: 2, hi: 4, chunk: 0 }, sums.b ?? 'right');
  return check;
}

const right = (lo: number): Recomputed => ({
  digests: [lo === 0 ? 'left' : 'right'],
  reports: [report(lo), report(lo + 1)],
});

describe('the check of a step', () => {
  it('has each node computed by somebody else, and is settled when all say the same', () => {
    const check = begun();
    const orders = check.orders(here('a', 'b'));
    assert.deepEqual(
      orders.map(({ worker, lo, hi }) => [worker, lo, hi]),
      [
        ['b', 0, 2],
        ['a', 2, 4],
      ],
    );
    assert.equal(check.settled(), false);
    check.answered('b', orders[0]!.order, right(0));
    assert.deepEqual(check.orders(here('a', 'b')), []);
    assert.equal(check.settled(), false);
    // Somebody else's answer, or one to nothing, is none.
    check.answered('b', orders[1]!.order, right(2));
    check.answered('a', 99, right(2));
    assert.equal(check.pending().length, 1);
    check.answered('a', orders[1]!.order, right(2));
    check.orders(here('a', 'b'));
    assert.equal(check.settled(), true);
    assert.equal(check.dispute(), undefined);
  });

  it('asks a third where two differ, and names whoever is alone with it', () => {
    const check = begun({ a: 'wrong' });
    const [first] = check.orders(here('a', 'b', 'c')).filter(({ lo }) => lo === 0);
    check.answered(first!.worker, first!.order, right(0));
    const [second] = check.orders(here('a', 'b', 'c'));
    assert.notEqual(second!.worker, 'a');
    assert.notEqual(second!.worker, first!.worker);
    const open = check.dispute();
    assert.equal(open, undefined);
    check.answered(second!.worker, second!.order, right(0));
    assert.deepEqual(check.orders(here('a', 'b', 'c')), []);
    assert.deepEqual(check.dispute()?.faulty, ['a']);
    assert.equal(check.settled(), false);
  });

  it('sees numbers that are wrong where the gradient is right', () => {
    const check = begun();
    const [order] = check.orders(here('a', 'b'));
    check.answered('b', order!.order, {
      digests: ['left'],
      reports: [report(0), report(1, 7)],
    });
    const again = check.orders(here('a', 'b'));
    assert.equal(again.length, 1);
    check.answered(again[0]!.worker, again[0]!.order, right(0));
    check.orders(here('a', 'b'));
    assert.deepEqual(check.dispute()?.faulty, ['b']);
  });

  it('gives what one was asked and is gone to another, and waits if there is none', () => {
    const check = begun();
    const [first] = check.orders(here('a', 'b', 'c')).filter(({ lo }) => lo === 0);
    const others = ['b', 'c'].filter((name) => name !== first!.worker);
    const [again] = check.orders(here(...others)).filter(({ lo }) => lo === 0);
    assert.equal(again!.worker, others[0]);
    // It was away for a moment.
    const back = [{ worker: others[0]!, session: 'another', shards: 2 }];
    assert.equal(check.orders(back).filter(({ lo }) => lo === 0).length, 1);
    assert.deepEqual(check.orders([]), []);
    assert.equal(check.pending().length, 0);
    assert.equal(check.settled(), false);
  });

  it('checks the larger node where it replaced smaller ones', () => {
    const check = begun();
    check.contributed('c', { lo: 0, hi: 4, chunk: 0 }, 'all');
    const orders = check.orders(here('a', 'b', 'c'));
    assert.deepEqual(
      orders.map(({ lo, hi }) => [lo, hi]),
      [[0, 4]],
    );
  });

  it('has computed again beforehand what is foreseen, and the rest once it is there', () => {
    let ids = 0;
    const check = createCrossCheck(() => ++ids);
    const expected = [
      { worker: 'a', lo: 0, hi: 2 },
      { worker: 'b', lo: 2, hi: 4 },
    ];
    const foreseen = check.foresee(expected, here('a', 'b', 'c'));
    assert.equal(foreseen.length, 2);
    assert.ok(foreseen.every(({ worker, lo }) => worker !== expected[lo / 2]!.worker));
    check.answered(foreseen[0]!.worker, foreseen[0]!.order, right(0));
    // As foreseen.
    for (let shard = 0; shard < 4; shard++) check.reported('a', report(shard));
    check.contributed('a', { lo: 0, hi: 2, chunk: 0 }, 'left');
    // Not so: another contributed it, in two parts.
    check.contributed('a', { lo: 2, hi: 3, chunk: 0 }, 'third');
    check.contributed('c', { lo: 3, hi: 4, chunk: 0 }, 'fourth');
    const orders = check.orders(here('a', 'b', 'c'));
    assert.deepEqual(
      orders.map(({ lo, hi }) => [lo, hi]),
      [
        [2, 3],
        [3, 4],
      ],
    );
    const sums = ['third', 'fourth'];
    for (const { order, worker, lo } of orders)
      check.answered(worker, order, { digests: [sums[lo - 2]!], reports: [report(lo)] });
    check.orders(here('a', 'b', 'c'));
    assert.equal(check.settled(), true);
  });

  it('reads each answer about once, however many workers there are', () => {
    const readsOf = (workers: number) => {
      let [ids, reads] = [0, 0];
      const check = createCrossCheck(() => ++ids);
      const names = Array.from({ length: workers }, (_, at) => `w${at}`);
      const candidates = here(...names);
      const expected = names.map((worker, lo) => ({ worker, lo, hi: lo + 1 }));
      const orders = check.foresee(expected, candidates);
      for (const { worker, lo, hi } of expected) {
        check.reported(worker, report(lo));
        check.contributed(worker, { lo, hi, chunk: 0 }, `sum ${lo}`);
      }
      for (const { worker, order, lo } of orders) {
        assert.notEqual(worker, `w${lo}`);
        check.orders(candidates);
        const what: Recomputed = {
          get digests() {
            reads++;
            return [`sum ${lo}`];
          },
          reports: [report(lo)],
        };
        check.answered(worker, order, what);
      }
      assert.deepEqual(check.orders(candidates), []);
      assert.equal(check.settled(), true);
      return reads;
    };
    assert.ok(readsOf(400) <= 5 * readsOf(100));
  });
});
