import assert from 'node:assert/strict';
import { runLocal } from './run-local.js';

describe('the options of runLocal', () => {
  for (const [options, message] of [
    [{ worker: 3 }, 'runLocal takes no "worker"'],
    [{ workers: 'two' }, 'workers is "two"'],
    [{ workers: -1 }, 'workers is -1'],
    [{ servers: 0.5 }, 'servers is 0.5'],
    [{ checkpointEvery: 50 }, 'checkpointEvery is 50'],
  ] as const)
    it(`are refused before a process is started: ${JSON.stringify(options)}`, () =>
      assert.rejects(runLocal('nowhere.ts', options as object).result, {
        code: 'BAD_CONFIG',
        message,
      }));
});
