import assert from 'node:assert/strict';
import { stageOptimizer } from './stage-optimizer.js';

describe('the optimizer of a stage', () => {
  it('comes to the end of its schedule with the stage', () => {
    const adam = { name: 'adam', learningRate: 0.001, clipNorm: 1 } as const;
    const cosine = { kind: 'cosine', steps: 4690, floor: 0.1 } as const;
    assert.deepEqual(stageOptimizer({ ...adam, schedule: cosine, warmupSteps: 100 }, 0.2), {
      ...adam,
      warmupSteps: 20,
      schedule: { ...cosine, steps: 938 },
    });
    const step = { kind: 'step', every: 3, factor: 0.5 } as const;
    const [shorter, longer] = [0.1, 2].map((length) =>
      stageOptimizer({ ...adam, schedule: step }, length),
    );
    assert.deepEqual(shorter!.schedule, { ...step, every: 1 });
    assert.deepEqual(longer!.schedule, { ...step, every: 6 });
    assert.deepEqual(stageOptimizer(adam, 0.2), adam);
  });
});
