import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference } from './dependencies.mjs';

describe('firstDifference', () => {
  let root;
  const lock = (file, packages) => {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, file), JSON.stringify({ packages }));
  };
  const wanted = (packages) => lock('package-lock.json', { '': {}, ...packages });
  const installed = (packages) => lock('node_modules/.package-lock.json', packages);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tutti-dependencies-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('finds nothing when all is installed', () => {
    wanted({ 'node_modules/a': { version: '1.0.0' }, 'packages/b': { version: '0.1.0' } });
    installed({ 'node_modules/a': { version: '1.0.0', resolved: 'https://example.org/a.tgz' } });
    assert.equal(firstDifference(root), undefined);
  });

  it('names what is missing or of another version', () => {
    wanted({ 'node_modules/a': { version: '1.0.1' } });
    assert.equal(firstDifference(root), 'nothing is installed');
    installed({ 'node_modules/a': { version: '1.0.0' } });
    assert.equal(firstDifference(root), 'a');
    installed({});
    assert.equal(firstDifference(root), 'a');
  });

  it('does not miss a workspace whose folder is gone', () => {
    wanted({ 'node_modules/@x/app': { link: true, resolved: 'apps/app' } });
    installed({});
    assert.equal(firstDifference(root), undefined);
    mkdirSync(join(root, 'apps/app'), { recursive: true });
    assert.equal(firstDifference(root), '@x/app');
  });

  it('does not miss packages for other platforms', () => {
    wanted({ 'node_modules/fast-on-a-mac': { version: '1.0.0', optional: true } });
    installed({});
    assert.equal(firstDifference(root), undefined);
  });
});
