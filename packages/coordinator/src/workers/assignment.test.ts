import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Assignee, assignShards, rebalance } from './assignment.js';

const crews = fc
  .record({ shards: fc.integer({ min: 1, max: 200 }), workers: fc.integer({ min: 1, max: 12 }) })
  .chain(({ shards, workers }) =>
    fc.record({
      shards: fc.constant(shards),
      // Who has each shard; -1 and beyond: nobody who is still here.
      owners: fc.array(fc.integer({ min: -1, max: workers }), {
        minLength: shards,
        maxLength: shards,
      }),
      speeds: fc.array(fc.option(fc.double({ min: 0.01, max: 10, noNaN: true })), {
        minLength: workers,
        maxLength: workers,
      }),
    }),
  )
  .map(({ shards, owners, speeds }) => ({
    shards,
    workers: speeds.map(
      (speed, at): Assignee => ({
        name: `w${at}`,
        speed: speed ?? undefined,
        shards: owners.flatMap((owner, shard) => (owner === at ? [shard] : [])),
      }),
    ),
  }));

describe('the assignment of shards', () => {
  it('is even and gives neighbours to each while nothing is known', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (shards, n) => {
        const workers = Array.from({ length: n }, (_, at) => ({ name: `w${at}`, shards: [] }));
        const shares = [...assignShards(shards, workers).values()];
        assert.deepEqual(shares.flat(), [...new Array(shards).keys()]);
        const sizes = shares.map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }),
    );
  });

  it('has each shard go to whoever would be done with one more first, as by looking at each worker', () => {
    fc.assert(
      fc.property(crews, ({ shards, workers }) => {
        const speeds = workers.flatMap(({ speed }) => speed ?? []).sort((a, b) => a - b);
        const usual = speeds[Math.floor(speeds.length / 2)] ?? 1;
        const counts = workers.map(() => 0);
        const doneAt = (at: number) => (counts[at]! + 1) / (workers[at]!.speed ?? usual);
        const spare = (at: number) => workers[at]!.shards.length - counts[at]!;
        for (let shard = 0; shard < shards; shard++) {
          let best = 0;
          for (const at of workers.keys())
            if (
              doneAt(at) < doneAt(best) ||
              (doneAt(at) === doneAt(best) && spare(at) > spare(best))
            )
              best = at;
          counts[best]!++;
        }
        const shares = assignShards(shards, workers);
        assert.deepEqual(
          workers.map(({ name }) => shares.get(name)!.length),
          counts,
        );
      }),
    );
  });

  it('looks at workers about as often as there are shards, not at each for each', () => {
    const looksOf = (n: number) => {
      let looks = 0;
      const workers = Array.from({ length: n }, (_, at) => ({
        name: `w${at}`,
        get speed() {
          looks++;
          return undefined;
        },
        shards: [at],
      }));
      assignShards(n, workers);
      return looks;
    };
    assert.ok(looksOf(1024) <= 5 * looksOf(256));
  });

  it('gives every shard exactly one owner, and everybody keeps what it may keep', () => {
    fc.assert(
      fc.property(crews, ({ shards, workers }) => {
        const shares = assignShards(shards, workers);
        const all = [...shares.values()].flat().sort((a, b) => a - b);
        assert.deepEqual(
          all,
          Array.from({ length: shards }, (_, shard) => shard),
        );
        for (const { name, shards: had } of workers) {
          const now = shares.get(name)!;
          const kept = had.filter((shard) => now.includes(shard));
          assert.equal(kept.length, Math.min(had.length, now.length));
        }
      }),
    );
  });

  it('is as quick as any: moving one shard makes no step shorter', () => {
    fc.assert(
      fc.property(crews, ({ shards, workers }) => {
        const measured = workers.map((worker) => ({ ...worker, speed: worker.speed ?? 1 }));
        const shares = assignShards(shards, measured);
        const time = (worker: (typeof measured)[number], more: number) =>
          (shares.get(worker.name)!.length + more) / worker.speed;
        const slowest = Math.max(...measured.map((worker) => time(worker, 0)));
        for (const worker of measured) assert.ok(time(worker, 1) >= slowest * (1 - 1e-9));
      }),
    );
  });

  it('gives a worker half as fast half the shards, all neighbours', () => {
    const fresh = [1, 2, 1].map((speed, at) => ({ name: `w${at}`, speed, shards: [] }));
    const shares = assignShards(8, fresh);
    assert.deepEqual(
      [...shares.values()],
      [
        [0, 1],
        [2, 3, 4, 5],
        [6, 7],
      ],
    );
  });

  it('moves nothing for less than a tenth, and does not move back', () => {
    fc.assert(
      fc.property(crews, ({ shards, workers }) => {
        const measured = workers.map((worker) => ({ ...worker, speed: worker.speed ?? 1 }));
        const shares = assignShards(shards, measured);
        const settled = measured.map((worker) => ({
          ...worker,
          shards: shares.get(worker.name)!,
        }));
        assert.equal(rebalance(shards, settled), undefined);
        const wavering = settled.map((worker, at) => ({
          ...worker,
          speed: worker.speed * (at % 2 === 0 ? 1.04 : 0.97),
        }));
        const again = rebalance(shards, wavering);
        const slowest = (s: (name: string) => number) =>
          Math.max(...wavering.map((w) => s(w.name) / w.speed));
        if (again !== undefined)
          assert.ok(
            slowest((name) => again.get(name)!.length) <=
              0.9 * slowest((name) => shares.get(name)!.length),
          );
      }),
    );
  });
});
