import assert from 'node:assert/strict';
import { join } from 'node:path';
import { command } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith, resolvePath } from './program-files.js';

const each = eachTest(import.meta.url);

/** What npm links: it must say it even where the command itself cannot be loaded. */
const BIN = resolvePath('@tutti/cli/bin/tutti.mjs');

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a limit of the system', () => {
  const under = (limit: string, ...args: readonly string[]) =>
    command([
      ...['sh', '-c', `${limit} && exec "$@"`, 'sh', process.execPath, BIN, ...args],
      ...['--workers', '1', '--checkpoint-dir', join(each.folder.path, 'runs')],
    ]).ended;

  for (const files of [32, 40])
    it(`of ${files} open files is no fault of Tutti or of the program`, async () => {
      const path = await each.folder.program(regressionWith(''));
      const { code, stderr } = await under(`ulimit -n ${files}`, 'train', path);
      assert.equal(code, 1);
      assert.match(stderr, /LIMIT[\s\S]*ulimit -n/);
      assert.doesNotMatch(stderr, /fault in Tutti|^ {4}at /m);
    });

  it('of the heap of a worker is named, with the way to raise it, without the stack of V8', async () => {
    const hoard = 'const all = []; for (;;) all.push(new Array(100_000).fill(0.5));';
    const path = await each.folder.program(regressionWith(hoard));
    const { code, stderr } = await under(
      'export NODE_OPTIONS=--max-old-space-size=50',
      ...['train', path, '--json'],
    );
    assert.equal(code, 1);
    const told = stderr.slice(stderr.indexOf('error CHILD_DIED'));
    assert.match(
      told,
      /^error CHILD_DIED: w0 \(pid \d+\) has filled its heap of JavaScript values/,
    );
    assert.match(told, /NODE_OPTIONS=--max-old-space-size=/);
    assert.doesNotMatch(told, /0x[\da-f]+/);
  });

  it('is not taken for modules that are missing, as Node.js says it', async () => {
    const { code, stderr } = await under('ulimit -n 48', 'coordinator');
    assert.equal(code, 1);
    assert.match(stderr, /limit of this system is reached[\s\S]*ulimit -n/);
    assert.doesNotMatch(stderr, /fault in Tutti|^ {4}at /m);
  });
});
