import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createLoads } from './loads.js';

describe('the loads of those who compute again', () => {
  it('have each wanted node go where it is done first, as by looking at each worker', () => {
    const runs = fc.integer({ min: 1, max: 6 }).chain((workers) =>
      fc.record({
        shards: fc.array(fc.nat(3), { minLength: workers, maxLength: workers }),
        wanted: fc.array(
          fc.record({
            size: fc.integer({ min: 1, max: 4 }),
            // For each thing, who may say what it is.
            asked: fc.array(fc.uniqueArray(fc.nat(workers - 1)), { minLength: 1, maxLength: 3 }),
          }),
          { maxLength: 12 },
        ),
      }),
    );
    fc.assert(
      fc.property(runs, ({ shards, wanted }) => {
        const candidates = shards.map((each, at) => ({
          ...{ worker: `w${at}`, session: `s${at}`, shards: each },
        }));
        const loads = createLoads(candidates);
        const asked = candidates.map(() => 0);
        for (const { size, asked: whom } of wanted) {
          const says = candidates.map((_, at) => whom.filter((each) => each.includes(at)).length);
          const most = Math.max(...says);
          const doneAt = (at: number) => (asked[at]! + size) / Math.max(1, shards[at]!);
          let best = -1;
          for (const at of candidates.keys())
            if (most > 0 && says[at] === most && (best < 0 || doneAt(at) < doneAt(best))) best = at;
          const chosen = loads.leastLoaded({
            ...{ lo: 0, hi: size },
            asked: whom.map((each) => (worker) => each.some((at) => worker === `w${at}`)),
          });
          assert.equal(chosen, candidates[best]);
          if (best < 0) continue;
          loads.add(`w${best}`, size);
          asked[best]! += size;
        }
      }),
    );
  });
});
