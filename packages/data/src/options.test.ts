import assert from 'node:assert/strict';
import { csv } from './csv.js';
import { idx } from './idx.js';
import { imageFolder } from './image-folder.js';
import { npy } from './npy.js';
import { npz } from './npz.js';
import { tfrecord } from './tfrecord.js';

/** Programs run without a check of their types. */
const misspelt = { clases: 10 } as object;

describe('options of data files', () => {
  for (const [name, open] of Object.entries({
    csv: () => csv('a.csv', misspelt),
    idx: () => idx({ x: 'a' }, misspelt),
    npy: () => npy({ x: 'a.npy' }, misspelt),
    npz: () => npz('a.npz', misspelt),
    imageFolder: () => imageFolder('a', { width: 1, height: 1, channels: 1, ...misspelt }),
    tfrecord: () => tfrecord('a', {}, misspelt),
  }))
    it(`of ${name}() that it does not know are refused, before any file is looked for`, () =>
      assert.rejects(open, { code: 'BAD_PROGRAM', message: `${name} takes no "clases"` }));
});
