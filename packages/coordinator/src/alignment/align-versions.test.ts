import assert from 'node:assert/strict';
import fc from 'fast-check';
import { alignVersions, type Holder } from './align-versions.js';

/** Some ranges of chunks, each held by some servers at some versions. */
const holders = fc
  .array(
    fc.record({
      chunks: fc.integer({ min: 0, max: 3 }),
      holders: fc.array(fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((ranges) => {
    const found: Holder[] = [];
    let firstChunk = 0;
    for (const range of ranges) {
      for (const versions of range.holders)
        found.push({ server: found.length, firstChunk, versions: versions.slice(0, range.chunks) });
      firstChunk += range.chunks;
    }
    return found;
  })
  .filter((found) => found.some(({ versions }) => versions.length > 0));

describe("the alignment of the servers' versions", () => {
  it('keeps of each range those that have most in full, and takes their lowest version', () => {
    fc.assert(
      fc.property(holders, fc.constantFrom(0, 1), (found, mostBehind) => {
        const { stragglers, least, most } = alignVersions(found, mostBehind);
        const dismissed = new Set(stragglers.map(({ server }) => server));
        const kept = found.filter(({ server }) => !dismissed.has(server));
        const versions = kept.flatMap((holder) => [...holder.versions]);
        // All that is kept has the version that the job goes on from.
        assert.equal(least, Math.min(...versions));
        for (const { server, versions: had, firstChunk } of found) {
          if (had.length === 0) {
            assert.ok(!dismissed.has(server));
            continue;
          }
          const full = Math.min(...had);
          const rivals = found.filter(
            (other) => other.firstChunk === firstChunk && other.versions.length > 0,
          );
          const best = Math.max(...rivals.map((other) => Math.min(...other.versions)));
          // Without values it is of no use, however little the others have done.
          const isBehind = full < best - mostBehind || (full < 0 && best >= 0);
          assert.equal(dismissed.has(server), isBehind);
        }
        // Each chunk has a holder left, and counts with the lowest version of its holders.
        const chunks = new Map<number, number[]>();
        for (const { firstChunk, versions: had } of kept)
          for (const [at, version] of had.entries())
            chunks.set(firstChunk + at, [...(chunks.get(firstChunk + at) ?? []), version]);
        const all = new Set(
          found.flatMap(({ firstChunk, versions: had }) => had.map((_, at) => firstChunk + at)),
        );
        assert.deepEqual([...chunks.keys()].sort(), [...all].sort());
        assert.equal(most, Math.max(...kept.flatMap(({ versions: had }) => had)));
      }),
    );
  });

  it('names the server that is ahead of one that is not used any more', () => {
    const aligned = alignVersions([
      { server: 0, firstChunk: 0, versions: [4, 5] },
      { server: 1, firstChunk: 2, versions: [5] },
      { server: 2, firstChunk: 0, versions: [5, 5] },
    ]);
    assert.deepEqual(aligned, {
      stragglers: [{ server: 0, least: 4, best: { server: 2, least: 5 } }],
      least: 5,
      most: 5,
    });
  });
});
