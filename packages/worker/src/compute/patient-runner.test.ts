import assert from 'node:assert/strict';
import { systemClock } from '@tutti/runtime';
import { patientRunner } from './patient-runner.js';
import type { ProgramRunner } from './program-runner.js';

/** Tells what it begins, in place of computing. */
function telling(told: string[]): ProgramRunner {
  const tell = (what: string) => async () => {
    told.push(what);
    return {} as never;
  };
  return {
    read: tell('read'),
    gradient: tell('gradient'),
    evaluate: tell('evaluate'),
    initialize: tell('initialize'),
  };
}

describe('patientRunner', () => {
  const begin: Record<string, (runner: ProgramRunner) => Promise<unknown>> = {
    read: (runner) => runner.read(0, 0),
    gradient: (runner) => runner.gradient({} as never, {} as never, () => {}),
    evaluate: (runner) => runner.evaluate({} as never, 0, 0),
  };
  for (const [what, run] of Object.entries(begin))
    it(`lets messages that are sent together go before it holds up the thread: ${what}`, async () => {
      const told: string[] = [];
      // As connections do it.
      setImmediate(() => told.push('sent'));
      await run(patientRunner(telling(told), systemClock));
      assert.deepEqual(told, ['sent', what]);
    });
});
