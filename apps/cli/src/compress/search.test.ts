import assert from 'node:assert/strict';
import type { Densities } from './densities.js';
import { searchDensities } from './search.js';
import type { Stage } from './stage-table.js';

const prunable = [{ name: 'dense/kernel', size: 10_000 }];

const trained = (stage: string, density: number, accuracy: number) => ({
  density,
  stage: { stage, stored: 0, wireBytesPerStep: 0, bytes: 0, accuracy } satisfies Stage,
});

/** Searches where the accuracy follows from what stays. */
async function search(init: {
  accuracy: (density: number) => number;
  leastAccuracy: number;
  smallFrom?: number;
}) {
  const { accuracy, leastAccuracy, smallFrom = 0 } = init;
  const { last, stages } = await searchDensities({
    prunable,
    from: trained('dense', 1, accuracy(1)),
    leastAccuracy,
    isSmall: async ({ density }) => density <= smallFrom,
    prune: async (name: string, densities: Densities) => {
      const density = densities['dense/kernel']!;
      return trained(name, density, accuracy(density));
    },
  });
  return { density: last.density, stages: stages.map(({ stage }) => stage) };
}

describe('the search for what can go', () => {
  it('ends before the accuracy is too low, and says what was given up', async () => {
    const accuracy = (density: number) => (density < 0.2 ? 0.9 : 0.99);
    assert.deepEqual(await search({ accuracy, leastAccuracy: 0.98 }), {
      density: 0.25,
      stages: [
        'pruned, halved once',
        'pruned, halved 2 times',
        'pruned, halved 3 times (given up)',
      ],
    });
  });

  it('prunes no more than the file must be small', async () => {
    const accuracy = () => 0.99;
    const found = await search({ accuracy, leastAccuracy: 0.5, smallFrom: 0.3 });
    assert.equal(found.density, 0.25);
    assert.deepEqual(await search({ accuracy, leastAccuracy: 0.5, smallFrom: 1 }), {
      density: 1,
      stages: [],
    });
  });

  it('goes on below the least accuracy while training makes it better', async () => {
    const better = (density: number) => (density < 0.2 ? 0.94 : 0.96 - density / 50);
    const found = await search({ accuracy: better, leastAccuracy: 0.97 });
    assert.equal(found.density, 0.25);
  });

  it('ends after some rounds', async () => {
    const { stages } = await search({ accuracy: () => 1, leastAccuracy: 0 });
    assert.equal(stages.length, 8);
  });
});
