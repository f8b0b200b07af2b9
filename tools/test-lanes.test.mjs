import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lanesOf, together } from './test-lanes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const ignoredIn = (lane) =>
  lane.flatMap((word) => (word.startsWith('--ignore=') ? [word.slice('--ignore='.length)] : []));

describe('lanesOf', () => {
  it('has each test in one lane', () => {
    const lanes = lanesOf(root, []);
    assert.deepEqual(lanes.slice(2), [
      ['--projects', '@tutti/cli'],
      ['--exclude', '@tutti/test,@tutti/cli'],
    ]);
    const halves = lanes.slice(0, 2);
    const files = readdirSync(join(root, 'test', 'src'), { recursive: true })
      .map((name) => `src/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.test.ts'));
    assert.ok(files.length > 50);
    for (const file of files) {
      const isIgnored = (pattern) =>
        pattern.endsWith('/**') ? file.startsWith(pattern.slice(0, -2)) : pattern === file;
      const having = halves.filter((lane) => !ignoredIn(lane).some(isIgnored));
      assert.equal(having.length, 1, file);
    }
  });

  it('has those that are named', () => {
    const named = (...projects) => lanesOf(root, projects).map((lane) => lane.slice(0, 2));
    assert.deepEqual(named('@tutti/run', '@tutti/data'), [
      ['--projects', '@tutti/run,@tutti/data'],
    ]);
    const half = ['--projects', '@tutti/test'];
    assert.deepEqual(named('@tutti/test'), [half, half]);
    assert.deepEqual(named('@tutti/test', '@tutti/data'), [
      half,
      half,
      ['--projects', '@tutti/data'],
    ]);
  });
});

describe('together', () => {
  it('does no more at a time than it may, and all', async () => {
    let [now, highest] = [0, 0];
    const results = await together(2, [1, 2, 3, 4, 5], async (value) => {
      highest = Math.max(highest, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return 10 * value;
    });
    assert.deepEqual(results, [10, 20, 30, 40, 50]);
    assert.equal(highest, 2);
  });
});
