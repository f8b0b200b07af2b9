import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isBuilt, rememberBuilt } from './build-stamp.mjs';

describe('isBuilt', () => {
  let root;
  const write = (path, text = '') => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tutti-build-'));
    for (const name of ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json', 'nx.json']) {
      write(name);
    }
    write('packages/a/package.json', '{"scripts":{"build":"tsc -b"}}');
    write('packages/a/src/index.ts', 'export {}');
    write('packages/a/dist/index.js');
    rememberBuilt(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('holds until a source changes', () => {
    assert.equal(isBuilt(root), true);
    write('packages/a/src/index.ts', 'export const one = 1');
    assert.equal(isBuilt(root), false);
  });

  it('does not hold when a source is added or what was built is gone', () => {
    write('packages/a/src/more.ts');
    assert.equal(isBuilt(root), false);
    rememberBuilt(root);
    assert.equal(isBuilt(root), true);
    rmSync(join(root, 'packages/a/dist'), { recursive: true });
    assert.equal(isBuilt(root), false);
  });

  it('is indifferent to what the build writes', () => {
    write('packages/a/dist/more.js');
    assert.equal(isBuilt(root), true);
  });
});
