import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tutti } from './command.js';
import { eachTest } from './each-test.js';
import { createGate } from './gate.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

const GATE = JSON.stringify(fileURLToPath(new URL('./gate.ts', import.meta.url)));

describe('a worker whose program loads for longer than the whole job takes', () => {
  it('ends with the job, well, and says so', async () => {
    const path = await each.folder.program(regressionWith(''));
    const gatePath = join(each.folder.path, 'gate');
    const gate = await createGate(gatePath);
    const slow = await each.folder.program(
      `import { passGate } from ${GATE};\nawait passGate(${JSON.stringify(gatePath)}, 0);\n${regressionWith('')}`,
      'slow.ts',
    );
    const coordinator = tutti([
      ...['coordinator', '--workers', '1', '--listen', 'tcp://127.0.0.1:0', '--json'],
      ...['--checkpoint-dir', join(each.folder.path, 'runs')],
    ]);
    try {
      const line = await coordinator.line((text) => text.startsWith('{"event":"listening"'));
      const { address } = JSON.parse(line);
      const late = tutti(['worker', slow, '--coordinator', address, '--log-level', 'debug']);
      await late.line((text) => text.includes('has a job; this worker joins'), 'stderr');
      const worker = tutti(['worker', path, '--coordinator', address]);
      const { code, stdout } = await coordinator.ended;
      assert.equal(code, 0);
      assert.equal((await worker.ended).code, 0);
      // Not by its program, which still stands at the gate.
      const ended = await late.ended;
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stderr, /The job is over: it ended before this worker had joined\./);
      const { digest } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      assert.equal(digest, (await runLocal(path, { workers: 0 }).result).digest);
    } finally {
      await gate.close();
    }
  });
});
