import assert from 'node:assert/strict';
import { checkPackage, Package } from '@arethetypeswrong/core';
import { typeFaults } from './type-faults.mjs';

const faultsOf = async (exports, files, isModule = true) => {
  const manifest = { name: 'a', version: '1.0.0', type: 'module', exports };
  const all = { 'package.json': JSON.stringify(manifest), ...files };
  const inside = Object.entries(all).map(([path, text]) => [`/node_modules/a/${path}`, text]);
  const found = new Package(Object.fromEntries(inside), 'a', '1.0.0');
  return typeFaults(await checkPackage(found), isModule);
};
const code = { 'index.js': 'export const a = 1;' };
const types = { 'index.d.ts': 'export declare const a = 1;' };

describe('the types of a package', () => {
  it('are fine where a module finds them', async () => {
    const exports = { '.': { types: './index.d.ts', default: './index.js' } };
    assert.deepEqual(await faultsOf(exports, { ...code, ...types }), []);
  });

  it('are missing, or not where the manifest says', async () => {
    assert.deepEqual(await faultsOf({ '.': './index.js' }, code), ['it has no types']);
    assert.deepEqual(await faultsOf({ '.': './index.js' }, code, false), []);
    const exports = { '.': { types: './gone.d.ts', default: './gone.js' } };
    const faults = await faultsOf(exports, { ...code, ...types });
    assert.deepEqual(faults, ['NoResolution, ., node16-esm', 'NoResolution, ., bundler']);
  });

  it('are those of a module, not of CommonJS', async () => {
    const exports = { '.': { types: './index.d.cts', default: './index.js' } };
    const files = { ...code, 'index.d.cts': 'export declare const a = 1;' };
    assert.deepEqual(await faultsOf(exports, files), ['FalseCJS']);
  });
});
