import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createWorkerTimings } from '../workers/timings.js';
import { createStragglers } from './stragglers.js';

const step = (at: number) => ({ work: 'gradient', at }) as const;
const counts = (...shards: number[]) => new Map(shards.map((shard) => [shard, 4]));

/** Workers a, b, c, ... with these shards each, that have done one step in 100 ms a shard. */
function crew(...shares: readonly (readonly number[])[]) {
  const stragglers = createStragglers(createWorkerTimings().usual);
  const hands = shares.map((shards, at) => ({ who: 'abcdefgh'[at]!, shards, next: [] }));
  const begin = (at: number, now: number) => {
    stragglers.begin(step(at), now);
    stragglers.muster(hands, now);
  };
  begin(0, 0);
  for (const { who, shards } of hands)
    for (const [at, shard] of shards.entries())
      stragglers.reported(who, step(0), counts(shard), 100 * (at + 1), 0, true);
  return { stragglers, begin, hands };
}

describe('stragglers', () => {
  it('are helped once they are late by half of what a micro-batch usually takes', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    begin(1, 1000);
    assert.equal(stragglers.due(1149), false);
    assert.equal(stragglers.lateAt(1149), 1150);
    assert.deepEqual([...stragglers.help([0, 1, 2], ['d'], 1149)], []);
    stragglers.reported('a', step(1), counts(0), 1100, 0, true);
    assert.equal(stragglers.idle('a'), true);
    assert.equal(stragglers.idle('b'), false);
    stragglers.reported('b', step(1), counts(1), 1100, 0, true);
    assert.deepEqual([...stragglers.help([2], ['d', 'a'], 1150)], [['d', [2]]]);
    assert.equal(stragglers.helped(), true);
    assert.deepEqual(stragglers.owing([2]), ['c', 'd']);
    // Its helper is not late.
    assert.deepEqual([...stragglers.help([2], ['a'], 1200)], []);
    assert.deepEqual([...stragglers.help([2], ['a'], 1300)], [['a', [2]]]);
  });

  it('may report a micro-batch later where nobody waits for that', () => {
    const stragglers = createStragglers(createWorkerTimings().usual, ({ at }) => at === 1);
    const hands = ['a', 'b'].map((who, at) => ({ who, shards: [at], next: [] }));
    stragglers.begin(step(0), 0);
    stragglers.muster(hands, 0);
    for (const [shard, who] of ['a', 'b'].entries())
      stragglers.reported(who, step(0), counts(shard), 100, 0, true);
    stragglers.begin(step(1), 1000);
    // As long as a micro-batch, and half as long again: the report waits while the next one is computed.
    assert.equal(stragglers.lateAt(1000), 1250);
    for (const [shard, who] of ['a', 'b'].entries())
      stragglers.reported(who, step(1), counts(shard), 1200, 0, false);
    stragglers.begin(step(2), 2000);
    assert.equal(stragglers.lateAt(2000), 2150);
  });

  it('owe what they have not reported themselves, whoever else has, and what is not there', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    begin(1, 1000);
    assert.deepEqual(stragglers.owing([0, 1, 2]), ['a', 'b', 'c']);
    stragglers.reported('a', step(1), counts(0), 1100, 0, true);
    stragglers.reported('b', step(1), counts(1), 1100, 0, true);
    assert.deepEqual(stragglers.owing([0]), ['a', 'c']);
    assert.deepEqual(stragglers.owing([]), ['c']);
    begin(2, 1200);
    for (const [shard, who] of ['a', 'b'].entries())
      stragglers.reported(who, step(2), counts(shard), 1300, 0, true);
    assert.deepEqual(stragglers.owing([]), ['c']);
    stragglers.reported('c', step(1), counts(), 1400, 0, true);
    stragglers.reported('c', step(2), counts(2), 1450, 0, true);
    assert.deepEqual(stragglers.owing([]), []);
  });

  it('owe the step after the evaluation, once they have evaluated', () => {
    const { stragglers } = crew([0], [1]);
    const evaluation = { work: 'evaluation', at: 1 } as const;
    stragglers.begin(evaluation, 1000);
    const hands = ['a', 'b'].map((who, at) => ({ who, shards: [at], next: [at] }));
    stragglers.muster(hands, 1000);
    stragglers.reported('a', evaluation, counts(0), 1100, 0, true);
    assert.deepEqual(stragglers.owing([]), ['a', 'b']);
    stragglers.reported('a', step(1), counts(0), 1200, 0, true);
    assert.deepEqual(stragglers.owing([]), ['b']);
  });

  it('are helped with the first evaluation, though others had done it before it was known to begin', () => {
    const { stragglers, begin, hands } = crew([0], [1], [2]);
    begin(1, 1000);
    for (const { who, shards } of hands)
      stragglers.reported(who, step(1), counts(...shards), 1100, 100, true);
    const evaluation = { work: 'evaluation', at: 2 } as const;
    // c hangs. The others have the weights before the coordinator knows that all servers have.
    stragglers.reported('a', evaluation, counts(0), 1150, 50, true);
    stragglers.reported('b', evaluation, counts(1), 1150, 50, true);
    stragglers.begin(evaluation, 1160);
    stragglers.muster(hands, 1160);
    const lateAt = stragglers.lateAt(1160);
    // By half of the 50 ms that it took the others.
    assert.equal(lateAt, 1160 + 75);
    assert.deepEqual([...stragglers.help([2], ['a', 'b'], lateAt - 1)], []);
    assert.deepEqual([...stragglers.help([2], ['a', 'b'], lateAt)], [['a', [2]]]);
  });

  it('are nobody while nothing is known of what is usual', () => {
    const stragglers = createStragglers(createWorkerTimings().usual);
    stragglers.begin(step(0), 0);
    const hands = ['a', 'b', 'c', 'd'].map((who, at) => ({ who, shards: [at], next: [] }));
    stragglers.muster(hands, 0);
    assert.equal(stragglers.lateAt(0), Number.POSITIVE_INFINITY);
    stragglers.reported('a', step(0), counts(0), 100, 0, true);
    assert.equal(stragglers.due(10_000), false);
    stragglers.reported('b', step(0), counts(1), 100, 0, true);
    assert.equal(stragglers.due(150), true);
  });

  it('are given more time where times waver', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    for (let at = 1; at < 12; at++) {
      begin(at, 1000 * at);
      for (const [shard, who] of ['a', 'b', 'c'].entries())
        stragglers.reported(
          who,
          step(at),
          counts(shard),
          1000 * at + (at % 2 ? 100 : 150),
          0,
          true,
        );
    }
    begin(12, 20_000);
    assert.ok(stragglers.lateAt(20_000) > 20_000 + 250);
  });

  it('have all that they have not sent computed elsewhere, first what they have not begun', () => {
    const { stragglers, begin } = crew([0, 1, 2], [3, 4, 5], [], []);
    begin(1, 1000);
    stragglers.reported('a', step(1), counts(0), 1100, 0, true);
    const missing = [0, 1, 2, 3, 4, 5];
    // That of b is still to come, too.
    stragglers.reported('b', step(1), counts(3), 1100, 0, true);
    stragglers.reported('b', step(1), counts(4), 1200, 0, true);
    assert.deepEqual([...stragglers.help(missing, ['c'], 1260)], [['c', [2]]]);
    assert.deepEqual([...stragglers.help(missing, ['d'], 1260)], [['d', [1]]]);
    stragglers.reported('c', step(1), counts(2), 1340, 0, true);
    assert.deepEqual([...stragglers.help(missing, ['c'], 1340)], [['c', [0]]]);
  });

  it('are not helped with what is on its way', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    begin(1, 1000);
    stragglers.reported('a', step(1), counts(0), 1100, 0, true);
    const given = [...stragglers.help([0, 1, 2], ['d', 'a'], 1200)];
    assert.deepEqual(given.flatMap(([, shards]) => shards).sort(), [1, 2]);
  });

  it('are helped from the start, if they have not been heard since they were late or were slow last', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    begin(1, 1000);
    const others = (at: number, now: number) => {
      stragglers.reported('a', step(at), counts(0), now, 0, true);
      stragglers.reported('b', step(at), counts(1), now, 0, true);
    };
    others(1, 1100);
    assert.equal(stragglers.help([2], ['d'], 1150).size, 1);
    stragglers.reported('d', step(1), counts(2), 1250, 0, true);
    begin(2, 1260);
    assert.deepEqual([...stragglers.help([0, 1, 2], ['d'], 1260)], [['d', [2]]]);
    others(2, 1360);
    stragglers.reported('c', step(1), counts(2), 1500, 0, true);
    assert.equal(stragglers.isSlow('c'), true);
    begin(3, 1510);
    assert.deepEqual([...stragglers.help([0, 1, 2], ['d'], 1510)], [['d', [2]]]);
    others(3, 1600);
    // As quick as the others again.
    stragglers.reported('c', step(3), counts(2), 1600, 0, true);
    assert.equal(stragglers.isSlow('c'), false);
    begin(4, 1700);
    assert.equal(stragglers.due(1700), false);
  });

  it('that are slow by nature are helped only by who would be done sooner', () => {
    const { stragglers, begin } = crew([0, 1], [2, 3], [4, 5], [6]);
    for (const at of [1, 2]) {
      begin(at, 1000 * at);
      stragglers.reported('d', step(at), counts(6), 1000 * at + 200, 0, true);
      for (const who of ['a', 'b', 'c'])
        stragglers.reported(who, step(at), counts(0, 1), 1000 * at + 200, 0, true);
    }
    begin(3, 3000);
    assert.equal(stragglers.isSlow('d'), true);
    stragglers.reported('a', step(3), counts(0, 1), 3080, 0, true);
    assert.deepEqual([...stragglers.help([6], ['a'], 3080)], []);
  });

  it('may have reported before the step was known to have begun', () => {
    const { stragglers, begin } = crew([0], [1], [2], []);
    stragglers.reported('a', step(1), counts(0), 990, 0, true);
    begin(1, 1000);
    assert.equal(stragglers.idle('a'), true);
    assert.equal(stragglers.idle('b'), false);
  });

  it('do not help with an evaluation while their own gradients are to be computed', () => {
    const { stragglers, hands } = crew([0], [1], [2], []);
    const evaluation = { work: 'evaluation', at: 1 } as const;
    stragglers.begin(evaluation, 1000);
    const both = hands.map((hand) => ({ ...hand, next: hand.shards }));
    stragglers.muster(both, 1000);
    stragglers.reported('a', evaluation, counts(0), 1050, 0, true);
    assert.equal(stragglers.idle('a'), false);
    stragglers.reported('a', step(1), counts(0), 1150, 0, true);
    assert.equal(stragglers.idle('a'), true);
    assert.equal(stragglers.idle('d'), true);
    // A sign of life is not a result.
    stragglers.reported('b', evaluation, counts(), 1200, 0, true);
    stragglers.reported('c', evaluation, counts(2), 1050, 0, true);
    assert.deepEqual([...stragglers.help([1], ['d'], 1200)], [['d', [1]]]);
  });

  it('have nobody that is gone to help them, and are helped by somebody else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1 }),
        fc.integer({ min: 2, max: 6 }),
        (missing, helpers) => {
          const stragglers = createStragglers(createWorkerTimings().usual);
          const idle = Array.from({ length: helpers }, (_, at) => `i${at}`);
          const all = [
            { who: 'a', shards: [100], next: [] },
            { who: 'b', shards: missing, next: [] },
            ...idle.map((who) => ({ who, shards: [], next: [] })),
          ];
          stragglers.begin(step(0), 0);
          stragglers.muster(all, 0);
          stragglers.reported('a', step(0), counts(100), 100, 0, true);
          const given = stragglers.help(missing, idle, 200);
          const shards = [...given.values()].flat();
          // One at a time, each to one.
          assert.equal(shards.length, Math.min(missing.length, helpers));
          assert.equal(new Set(shards).size, shards.length);
          const [[gone, its]] = [...given] as [[string, readonly number[]]];
          stragglers.muster(
            all.filter(({ who }) => who !== gone),
            210,
          );
          const other = idle.find((who) => who !== gone)!;
          const [again] = [...stragglers.help(its, [other], 210).values()];
          assert.deepEqual(again, its);
        },
      ),
    );
  });
});
