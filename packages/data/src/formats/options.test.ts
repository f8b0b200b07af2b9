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
import type { TfrecordField } from './tfrecord/tfrecord-fields.js';

/** Programs run without a check of their types. */
const misspelt = { clases: 10 } as object;

describe('options of data files', () => {
  for (const [name, open] of Object.entries({
    arrow: (options: object) => arrow('a.arrow', options),
    csv: (options: object) => csv('a.csv', options),
    idx: (options: object) => idx({ x: 'a' }, options),
    npy: (options: object) => npy({ x: 'a.npy' }, options),
    npz: (options: object) => npz('a.npz', options),
    jsonLines: (options: object) => jsonLines('a.jsonl', options),
    parquet: (options: object) => parquet('a.parquet', options),
    imageFolder: (options: object) =>
      imageFolder('a', { width: 1, height: 1, channels: 1, ...options }),
    'field x of tfrecord': ({ ...options }) =>
      tfrecord('a', { x: { feature: 'a', type: 'int64', ...options } as TfrecordField }),
  }))
    it(`of ${name}() that are no numbers are refused, before any file is looked for`, async () => {
      for (const scale of [Number.NaN, '0.5', Number.POSITIVE_INFINITY])
        await assert.rejects(open({ scale }), {
          code: 'BAD_PROGRAM',
          message: `scale of ${name}() is ${typeof scale === 'string' ? '"0.5"' : scale}`,
        });
      if (name === 'imageFolder') return;
      for (const classes of [0, 2.5, -1])
        await assert.rejects(open({ classes }), {
          code: 'BAD_PROGRAM',
          message: `classes of ${name}() is ${classes}`,
        });
    });

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
