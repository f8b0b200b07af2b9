import { createRandom, createSimulatedClock, type SimulatedClock } from '@tutti/runtime';
import { complianceCases } from './compliance.js';
import { createMemoryNetwork } from './memory-network.js';

/** Moves the simulated time on until `work` has come to its end. */
async function whileTimePasses<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let running = true;
  const turn = () => {
    if (!running) return;
    clock.step();
    setImmediate(turn);
  };
  turn();
  try {
    return await work;
  } finally {
    running = false;
  }
}

describe('the network in memory', () => {
  for (const seed of [1, 2, 3]) {
    describe(`with seed ${seed}`, () => {
      for (const { name, run } of complianceCases) {
        it(name, () => {
          const clock = createSimulatedClock();
          const network = createMemoryNetwork({ clock, random: createRandom('network', seed) });
          const work = run({
            listening: network.transport('a'),
            connecting: network.transport('b'),
            freshAddress: () => 'memory://a:0',
          });
          return whileTimePasses(clock, work);
        });
      }
    });
  }
});
