import assert from 'node:assert/strict';
import { scenarioOf } from './scenario.js';
import { createRunner } from './sweep.js';

/** The last four lose a server while the best weights are collected, or after. */
const SEEDS = [...Array.from({ length: 40 }, (_, at) => at + 1), 80, 106, 193, 205];

/** Runs that their evaluations end, and whose learning rate these reduce, under all kinds of faults. */
it('a run that its evaluations steer ends alike under faults', async () => {
  const run = createRunner();
  for (const seed of SEEDS) {
    const scenario = scenarioOf(seed);
    const steered = {
      epochs: 7,
      earlyStopping: { patience: 1 + (seed % 2), minChange: 0.01, keepBest: seed % 3 > 0 },
      reduceOnPlateau: { patience: 1, factor: 0.5, minChange: 0.02, cooldown: seed % 2 },
    };
    const program = { ...scenario.program, ...steered };
    const { violations } = await run({ ...scenario, program });
    assert.deepEqual(violations, [], `seed ${seed}`);
  }
});
