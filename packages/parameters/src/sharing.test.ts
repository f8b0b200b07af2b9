import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import fc from 'fast-check';
import {
  expand,
  hashed,
  reduce,
  resolveSharing,
  type SharingMap,
  storedFromWeights,
  tie,
} from './sharing.js';

const weights = [
  { name: 'a', shape: [3, 4] },
  { name: 'b', shape: [4, 3] },
  { name: 'c', shape: [3, 4] },
  { name: 'd', shape: [5] },
];

const sharings = [
  [],
  [tie('a', 'c')],
  [tie('a', 'b', { transpose: true })],
  [hashed('a', { stored: 5 })],
  [hashed('a', { stored: 5, sign: false }), tie('a', 'c')],
  [hashed('a', { stored: 3 }), tie('a', 'b', { transpose: true }), tie('a', 'c')],
];

/** The map as a dense matrix, column by column from unit vectors: independent of `reduce`. */
function dense(map: SharingMap, stored: number): number[][] {
  return Array.from({ length: stored }, (_, j) => [
    ...expand(
      map,
      Float32Array.from({ length: stored }, (_, k) => (j === k ? 1 : 0)),
    ),
  ]);
}

describe('sharing', () => {
  for (const [at, rules] of sharings.entries()) {
    const { parameters, maps } = resolveSharing(weights, rules);
    it(`expands and reduces like the dense sharing matrix (case ${at})`, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const random = createRandom(seed);
          for (const map of maps) {
            const { shape } = parameters.find(({ name }) => name === map.parameter)!;
            const size = shape.reduce((a, b) => a * b, 1);
            // Small whole numbers: sums are exact in any order.
            const draw = (n: number) => Float32Array.from({ length: n }, () => random.below(9) - 4);
            const theta = draw(size);
            const matrix = dense(map, size);
            const weight = expand(map, theta);
            const expected = weight.map((_, i) =>
              matrix.reduce((sum, column, j) => sum + column[i]! * theta[j]!, 0),
            );
            assert.deepEqual(
              [...weight].map((value) => value + 0),
              [...expected].map((value) => value + 0),
            );
            const gradient = draw(weight.length);
            const into = new Float32Array(size);
            reduce(map, gradient, into);
            assert.deepEqual(
              [...into].map((value) => value + 0),
              matrix.map((column) => column.reduce((sum, e, i) => sum + e * gradient[i]!, 0) + 0),
            );
          }
        }),
        { numRuns: 20 },
      );
    });
  }

  it('stores only what is shared once', () => {
    const { parameters } = resolveSharing(weights, sharings[5]);
    assert.deepEqual(
      parameters.map(({ name, shape }) => [name, shape]),
      [
        ['a', [3]],
        ['d', [5]],
      ],
    );
  });

  it('initialises hashed values from the weight, so that expanding keeps its magnitudes', () => {
    const sharing = resolveSharing([{ name: 'a', shape: [40, 50] }], [hashed('a', { stored: 20 })]);
    const random = createRandom('init');
    const drawn = Float32Array.from({ length: 2000 }, () => random.next() - 0.5);
    const { a } = storedFromWeights(sharing, { a: drawn });
    const map = sharing.maps[0]! as Extract<SharingMap, { kind: 'indexed' }>;
    for (let j = 0; j < 20; j++) {
      const first = map.index.indexOf(j);
      assert.equal(expand(map, a!)[first], drawn[first]);
    }
  });

  it('refuses what does not fit, naming it', () => {
    const refuse = (rules: Parameters<typeof resolveSharing>[1], pattern: RegExp) =>
      assert.throws(() => resolveSharing(weights, rules), pattern);
    refuse([tie('a', 'x')], /tie\(\) names "x", which is no weight/);
    refuse([tie('a', 'b')], /"b" is \[4, 3\], but "a" is \[3, 4\]/);
    refuse([tie('a', 'c', { transpose: true })], /the transpose of "a" is \[4, 3\]/);
    refuse([hashed('a', { stored: 13 })], /stores 13 values for 12 elements/);
    refuse([tie('a', 'c'), hashed('c', { stored: 2 })], /"c", which is a copy of "a"/);
    refuse([tie('a', 'c'), tie('d', 'c')], /"c"/);
  });

  it('refuses options that it does not know', () => {
    const misspelt = { transposed: true, storde: 3 } as object;
    assert.throws(() => tie('a', 'b', misspelt), { message: 'tie takes no "transposed"' });
    assert.throws(() => hashed('a', misspelt as { stored: number }), { code: 'BAD_PROGRAM' });
  });
});
