import assert from 'node:assert/strict';
import { idx } from './arrays/idx.js';
import { npy } from './arrays/npy.js';
import { npz } from './arrays/npz.js';
import { imageFolder } from './images/image-folder.js';
import { arrow } from './rows/arrow.js';
import { csv } from './rows/csv.js';
import { jsonLines } from './rows/json-lines.js';
import { parquet } from './rows/parquet.js';
import { text } from './text/text.js';
import { tfrecord } from './tfrecord/tfrecord.js';

/** Programs run without a check of their types. */
const misspelt = { clases: 10 } as object;

describe('options of data files', () => {
  for (const [name, open] of Object.entries({
    arrow: () => arrow('a.arrow', misspelt),
    csv: () => csv('a.csv', misspelt),
    idx: () => idx({ x: 'a' }, misspelt),
    npy: () => npy({ x: 'a.npy' }, misspelt),
    npz: () => npz('a.npz', misspelt),
    jsonLines: () => jsonLines('a.jsonl', misspelt),
    parquet: () => parquet('a.parquet', misspelt),
    text: () => text('a.txt', { length: 1, ...misspelt }),
    imageFolder: () => imageFolder('a', { width: 1, height: 1, channels: 1, ...misspelt }),
    tfrecord: () => tfrecord('a', {}, misspelt),
  }))
    it(`of ${name}() that it does not know are refused, before any file is looked for`, () =>
      assert.rejects(open, { code: 'BAD_PROGRAM', message: `${name} takes no "clases"` }));
});
