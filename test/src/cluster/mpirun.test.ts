import assert from 'node:assert/strict';
import { join } from 'node:path';
import { tutti } from '../processes/command.js';
import { eachTest } from '../processes/each-test.js';
import { regressionWith } from '../processes/program-files.js';
import { runLocal } from '../processes/run-local.js';
import { freePorts } from './free-ports.js';
import { need } from './needs.js';
import { digestOf } from './ranks.js';

const each = eachTest(import.meta.url);

describe('mpirun', () => {
  before(function () {
    need(this, { packages: { mpirun: 'openmpi-bin' } });
  });

  it('starts the ranks of one job, with the digest of one process', async () => {
    const path = await each.folder.program(regressionWith(''));
    const variables = [`MASTER_PORT=${await freePorts()}`, 'OMPI_ALLOW_RUN_AS_ROOT=1'].concat(
      'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1',
    );
    const mpirun = ['mpirun', '-n', '3', '--oversubscribe', '--bind-to', 'none'];
    const command = tutti(
      ['node', path, '--json', '--checkpoint-dir', join(each.folder.path, 'runs')],
      ['env', ...variables, ...mpirun],
    );
    const ended = await command.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /rank 2 of 3 by mpirun, coordinator 127\.0\.0\.1:/);
    // mpirun mixes the lines of all ranks.
    const finished = ended.stdout.split('\n').filter((line) => line.includes('"digest"'));
    const { digest } = await runLocal(path, { workers: 0 }).result;
    assert.deepEqual(
      finished.map((stdout) => digestOf({ ...ended, stdout })),
      [digest],
    );
    await each.roll.assertAllGone(3);
  });
});
