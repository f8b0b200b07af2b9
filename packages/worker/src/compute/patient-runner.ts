import type { Clock } from '@tutti/runtime';
import type { ProgramRunner } from './program-runner.js';

/**
 * A runner that lets what waits for the end of a turn go first: reading and computing hold up the thread, and
 * others wait for what is sent from there, above all for the weights of a server that it hosts.
 */
export function patientRunner(runner: ProgramRunner, clock: Pick<Clock, 'turn'>): ProgramRunner {
  return {
    async read(step, shard) {
      // Unnamed wait: it ends by itself.
      await clock.turn();
      return runner.read(step, shard);
    },
    async gradient(...given) {
      // Unnamed wait: it ends by itself.
      await clock.turn();
      return runner.gradient(...given);
    },
    async evaluate(...given) {
      // Unnamed wait: it ends by itself.
      await clock.turn();
      return runner.evaluate(...given);
    },
    initialize: runner.initialize,
  };
}
