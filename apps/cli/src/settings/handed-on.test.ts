import assert from 'node:assert/strict';
import { commandAgain } from './handed-on.js';

describe('a command that goes on with a run', () => {
  it('is the one that was given, for a shell, but for what it begins with', () => {
    const flags = {
      ...{ workers: '4', minWorkers: '1', json: true, config: 'my settings.toml' },
      ...{ checkpointDir: 'runs', resume: 'latest', from: 'old', timeline: 'run.json' },
    };
    assert.equal(
      commandAgain('train', flags, 'a b.ts'),
      "tutti train 'a b.ts' --config 'my settings.toml' --workers 4 --min-workers 1 --json",
    );
    assert.equal(commandAgain('coordinator', {}), 'tutti coordinator');
  });
});
