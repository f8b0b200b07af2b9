import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createTestFolder, plain, type TestFolder } from '../../testing.js';
import { tfrecord } from './tfrecord.js';
import type { TfrecordField } from './tfrecord-fields.js';

// Written by TensorFlow itself: fixtures/make.py.
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
const examples = fixture('examples.tfrecord');

const fields = {
  x: { feature: 'image', type: 'bytes', shape: [2], scale: 1 / 51 },
  weights: { feature: 'weights', type: 'float', shape: [2, 1] },
  y: { feature: 'label', type: 'int64', classes: 3 },
} as const;

describe('tfrecord', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const variants = [
    { name: 'in memory', file: examples, options: {} },
    { name: 'gzip', file: `${examples}.gz`, options: {} },
    { name: 'where a record lies', file: examples, options: { memoryLimitBytes: 0 } },
  ];
  for (const { name, file, options } of variants) {
    it(`reads the features of TensorFlow's own records (${name})`, async () => {
      const dataset = await tfrecord(file, fields, options);
      assert.equal(dataset.size, 3);
      assert.deepEqual(plain(await dataset.read([2, 0])), {
        x: { data: [4, 5, 0, 1], shape: [2, 2], kind: 'Float32Array' },
        weights: { data: [2.5, -1, 0.5, -1], shape: [2, 2, 1], kind: 'Float32Array' },
        y: { data: [1, 2], shape: [2], kind: 'Int32Array' },
      });
      assert.deepEqual(plain(await dataset.read([])).x!.shape, [0, 2]);
      await dataset.close?.();
    });
  }

  it('decodes images inside records', async () => {
    const png = { feature: 'png', type: 'image', width: 1, height: 2, channels: 1 } as const;
    const dataset = await tfrecord(examples, { x: png });
    assert.deepEqual(plain(await dataset.read([1])).x, {
      data: [100 / 255, 100 / 255].map(Math.fround),
      shape: [1, 2, 1, 1],
      kind: 'Float32Array',
    });
    const wrong = await tfrecord(examples, { x: { ...png, feature: 'image' } });
    await assert.rejects(wrong.read([0]), {
      code: 'BAD_DATA',
      message: /examples.tfrecord, byte 12: cannot be decoded as an image/,
    });
  });

  it('joins several files in the order given', async () => {
    const empty = await folder.write('empty.tfrecord', '');
    const dataset = await tfrecord([examples, empty, `${examples}.gz`], fields);
    assert.equal(dataset.size, 6);
    assert.deepEqual([...(await dataset.read([0, 3, 5, 2])).y!.data], [2, 2, 1, 1]);
    await assert.rejects(dataset.read([6]), { code: 'BAD_DATA', message: /example 6 of / });
    await assert.rejects(tfrecord(empty, fields), { code: 'BAD_DATA', message: /no records/ });
  });

  it('indexes a file larger than the window it reads headers through', async () => {
    const once = await readFile(examples);
    const file = await folder.write(
      'long.tfrecord',
      Buffer.concat(Array.from({ length: 700 }, () => once)),
    );
    for (const memoryLimitBytes of [0, 1e9]) {
      const dataset = await tfrecord(file, fields, { memoryLimitBytes });
      assert.equal(dataset.size, 2100);
      const indices = Array.from({ length: 2100 }, (_, i) => i);
      const { y } = await dataset.read(indices);
      assert.deepEqual(
        [...y!.data],
        indices.map((i) => [2, 0, 1][i % 3]),
      );
      await dataset.close?.();
    }
  });

  it('refuses a wrong checksum of a length or a record, with its place', async () => {
    const damaged = async (at: number) => {
      const content = await readFile(examples);
      content[at]! ^= 1;
      return folder.write('damaged.tfrecord', content);
    };
    for (const at of [0, 9]) {
      await assert.rejects(tfrecord(await damaged(at), fields), {
        code: 'BAD_DATA',
        message: /damaged.tfrecord, byte 0: the checksum of the length of a record is/,
      });
    }
    const dataset = await tfrecord(await damaged(40), fields);
    await assert.rejects(dataset.read([0]), {
      code: 'BAD_DATA',
      message: /damaged.tfrecord, byte 12: the checksum of record 0 is/,
    });
    assert.deepEqual([...(await dataset.read([1])).y!.data], [0]);
  });

  it('refuses a truncated and a missing file', async () => {
    const whole = await readFile(examples);
    for (const [length, message] of [
      [whole.length - 1, /cut.tfrecord, byte \d+: expected a record of \d+ bytes/],
      [5, /cut.tfrecord, byte 0: expected a record of 12 bytes, but the file ends after 5/],
    ] as const) {
      const file = await folder.write('cut.tfrecord', whole.subarray(0, length));
      await assert.rejects(tfrecord(file, fields), { code: 'BAD_DATA', message });
    }
    await assert.rejects(tfrecord(`${folder.path}/none`, fields), {
      code: 'BAD_DATA',
      message: /none: there is no such file/,
    });
  });

  it('refuses fields that the records do not have', async () => {
    for (const [field, message] of [
      [
        { feature: 'Label', type: 'int64' },
        /byte 12: the record has no feature Label, only .*label/,
      ],
      [{ feature: 'toString', type: 'int64' }, /has no feature toString/],
      [{ feature: 'label', type: 'float' }, /feature label holds int64List, not floatList/],
      [{ feature: 'weights', type: 'float', shape: [3] }, /weights has 2 numbers, expected 3/],
      [{ feature: 'image', type: 'bytes', shape: [3] }, /image has 2 bytes, expected 3/],
      [
        { feature: 'weights', type: 'float', shape: [2], scale: 1e39 },
        /the number 0.5 of feature weights times 1e\+39 does not fit into float32/,
      ],
      [
        { feature: 'label', type: 'int64', classes: 2 },
        /label 2 of feature label is not one of 0 to 1/,
      ],
    ] as [TfrecordField, RegExp][]) {
      const dataset = await tfrecord(examples, { x: field });
      await assert.rejects(dataset.read([0]), { code: 'BAD_DATA', message });
    }
  });

  it('refuses fields that make no sense, before any file is looked for', async () => {
    for (const [field, message] of [
      [{ feature: 'label', type: 'int32' }, 'the type of field x of tfrecord() is "int32"'],
      [{ feature: 'label' }, 'the type of field x of tfrecord() is undefined'],
      [{ type: 'int64' }, 'the feature of field x of tfrecord() is undefined'],
      [{ feature: 'label', type: 'int64', clases: 3 }, 'field x of tfrecord() takes no "clases"'],
      [{ feature: 'a', type: 'float', classes: 3 }, 'field x of tfrecord() takes no "classes"'],
      [{ feature: 'image', type: 'bytes' }, 'field x of tfrecord() has no shape'],
      [
        { feature: 'weights', type: 'float', shape: [-1, -2] },
        'shape of field x of tfrecord() is [-1,-2]',
      ],
    ] as [object, string][])
      await assert.rejects(tfrecord('none', { x: field as TfrecordField }), {
        code: 'BAD_PROGRAM',
        message,
      });
  });
});
