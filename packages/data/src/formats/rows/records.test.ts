import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Bool, Float64, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Dataset } from '../../contract/dataset.js';
import { createTestFolder, type TestFolder } from '../../testing.js';
import { arrow } from './arrow.js';
import { jsonLines } from './json-lines.js';
import { parquet } from './parquet.js';
import type { CsvSchema } from './schema.js';

const ROWS = [
  { size: 30.5, balcony: true, city: 'Bern', rooms: 2, rent: 1200 },
  { size: 81.25, balcony: false, city: 'Basel', rooms: null, rent: 1900 },
  { size: 1e-3, balcony: true, city: 'Bern', rooms: 4, rent: 950.5 },
];
const column = <Name extends keyof (typeof ROWS)[number]>(name: Name) =>
  ROWS.map((row) => row[name]);
const SCHEMA: CsvSchema = {
  label: 'rent',
  categories: { city: ['Basel', 'Bern'] },
  missing: { rooms: 3 },
};

describe('tables of records', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const write = async (name: string, content: string | Uint8Array) => folder.write(name, content);

  const readers: Record<string, (schema: CsvSchema) => Promise<Dataset>> = {
    'JSON lines': async (schema) => jsonLines(await write('a.jsonl', `${lines(ROWS)}\n\n`), schema),
    'JSON lines, gzip': async (schema) =>
      jsonLines(await write('a.jsonl.gz', gzipSync(lines(ROWS))), schema),
    Parquet: async (schema) => {
      const columnData = [
        { name: 'size', data: column('size'), type: 'DOUBLE' as const },
        { name: 'balcony', data: column('balcony'), type: 'BOOLEAN' as const },
        { name: 'city', data: column('city'), type: 'STRING' as const },
        { name: 'rooms', data: column('rooms'), type: 'INT32' as const, nullable: true },
        { name: 'rent', data: column('rent'), type: 'DOUBLE' as const },
      ];
      return parquet(
        await write('a.parquet', new Uint8Array(parquetWriteBuffer({ columnData }))),
        schema,
      );
    },
    Arrow: async (schema) => {
      const table = tableFromArrays({
        size: Float64Array.from(column('size')),
        city: column('city'),
        rent: Float64Array.from(column('rent')),
      }).assign(
        tableFromArrays({
          balcony: vectorFromArray(column('balcony'), new Bool()),
          rooms: vectorFromArray(column('rooms'), new Float64()),
        } as never) as never,
      );
      const order = table.select(['size', 'balcony', 'city', 'rooms', 'rent'] as never);
      return arrow(await write('a.arrow', tableToIPC(order, 'file')), schema);
    },
  };

  for (const [name, open] of Object.entries(readers)) {
    it(`of ${name} mean what a CSV file means`, async () => {
      const { x, y } = await (await open(SCHEMA)).read([2, 0, 1]);
      assert.deepEqual(x!.shape, [3, 5]);
      const fround = (values: number[]) => values.map(Math.fround);
      assert.deepEqual(
        [...x!.data],
        fround([1e-3, 1, 0, 1, 4, 30.5, 1, 0, 1, 2, 81.25, 0, 1, 0, 3]),
      );
      assert.deepEqual([...y!.data], [950.5, 1200, 1900]);
    });

    it(`of ${name} say where a value is missing, or no number`, async () => {
      await assert.rejects(open({ ...SCHEMA, missing: {} }), {
        code: 'BAD_DATA',
        message: /line 2: expected a number in rooms, found an empty cell/,
      });
      await assert.rejects(open({ label: 'rent', columns: ['city'] }), {
        message: /expected a number in city, found "Bern"/,
      });
      await assert.rejects(open({ label: 'price' }), { message: /there is no column price/ });
    });
  }

  it('take lists of numbers as so many inputs', async () => {
    const file = await write(
      'a.jsonl',
      lines([
        {
          pixels: [
            [1, 2],
            [3, 4],
          ],
          kind: 'b',
        },
        {
          pixels: [
            [5, 6],
            [7, 8],
          ],
          kind: 'a',
        },
      ]),
    );
    const data = await jsonLines(file, { label: 'kind', classes: ['a', 'b'], shape: [2, 2] });
    const { x, y } = await data.read([1]);
    assert.deepEqual([x!.shape, [...x!.data], [...y!.data]], [[1, 2, 2], [5, 6, 7, 8], [0]]);
    const ragged = await write('b.jsonl', lines([{ x: [1, 2] }, { x: [1] }]));
    await assert.rejects(jsonLines(ragged), {
      message: /line 2: x is 1 values, in the first row 2 values/,
    });
  });

  it('are found by their position in the file, also behind a list', async () => {
    const rows = [
      { pixels: [1, 2], rooms: 5, rent: 7 },
      { pixels: [3, 4], rooms: 6, rent: 8 },
    ];
    const table = tableFromArrays({
      pixels: [rows[0]!.pixels, rows[1]!.pixels],
      rooms: [5, 6],
      rent: [7, 8],
    });
    const json = await write('a.jsonl', lines(rows));
    const ipc = await write('a.arrow', tableToIPC(table, 'file'));
    const columnData = [
      { name: 'pixels', data: rows.map(({ pixels }) => pixels), type: 'JSON' as const },
      { name: 'rooms', data: [5, 6], type: 'INT32' as const },
      { name: 'rent', data: [7, 8], type: 'INT32' as const },
    ];
    const parquetFile = await write(
      'a.parquet',
      new Uint8Array(parquetWriteBuffer({ columnData })),
    );
    for (const open of [
      (schema: CsvSchema) => jsonLines(json, schema),
      (schema: CsvSchema) => arrow(ipc, schema),
      (schema: CsvSchema) => parquet(parquetFile, schema),
    ]) {
      const { x, y } = await (await open({ columns: [1, 0], label: 2, scale: 2 })).read([1]);
      assert.deepEqual([[...x!.data], [...y!.data]], [[12, 6, 8], [8]]);
      const { x: missing } = await (
        await open({ columns: [0], missing: { 0: 9 }, label: 'rent' })
      ).read([0]);
      assert.deepEqual([...missing!.data], [1, 2]);
      await assert.rejects(open({ label: 3 }), {
        message: /there is no column 3, only pixels, rooms, rent/,
      });
      await assert.rejects(open({ label: 0 }), {
        message: /pixels has 2 values in each row, and a label is one/,
      });
    }
  });

  it('are not looked at where they are left out', async () => {
    const rows = [
      { words: ['a'], place: { id: 1 }, size: 2 },
      { words: ['b', 'c'], place: null, size: 3 },
    ];
    const file = await write('a.jsonl', lines(rows));
    await assert.rejects(jsonLines(file), {
      message: /expected a number in words.0, found "a"/,
    });
    const { x } = await (await jsonLines(file, { columns: ['size'] })).read([1, 0]);
    assert.deepEqual([...x!.data], [3, 2]);
  });

  it('are lists alike in every row, within each list too', async () => {
    const open = async (...rows: unknown[]) =>
      jsonLines(await write('a.jsonl', lines(rows.map((x) => ({ x })))));
    await assert.rejects(open([[1], [2, 3]], [[1, 2], [3]]), {
      message: /line 1: x is no values, or lists of different lengths$/,
    });
    await assert.rejects(
      open(
        [
          [1, 2],
          [3, 4],
        ],
        [1, 2, 3, 4],
      ),
      {
        message: /line 2: x is 4 values, in the first row 2 x 2 values/,
      },
    );
    await assert.rejects(open([], []), { message: /line 1: x is no values/ });
    await assert.rejects(open([1], 2), { message: /line 2: x is 2, in the first row 1 values/ });
  });

  it('have no position where JavaScript orders the keys', async () => {
    const file = await write('a.jsonl', '{"kind": 1, "10": 5, "9": 6}\n');
    await assert.rejects(jsonLines(file, { label: 0 }), {
      message: /column 0 cannot be found by its position, since keys are numbers, such as "9"/,
    });
    const { x, y } = await (await jsonLines(file, { label: 'kind', columns: ['10', '9'] })).read([
      0,
    ]);
    assert.deepEqual([[...x!.data], [...y!.data]], [[5, 6], [1]]);
  });

  it('are not what every object inherits', async () => {
    const file = await write('a.jsonl', '{"valueOf": 1}\n{}\n');
    const { x } = await (await jsonLines(file, { missing: { valueOf: 4 } })).read([1]);
    assert.deepEqual([...x!.data], [4]);
  });

  it('may all be missing where they are compressed', async () => {
    // Written by Arrow itself: fixtures/make.py. LZ4 of no bytes is one byte.
    const file = fileURLToPath(new URL('../../../fixtures/nulls-lz4.parquet', import.meta.url));
    const { x } = await (await parquet(file, { missing: { a: 7 } })).read([0, 1]);
    assert.deepEqual([...x!.data], [7, 1]);
  });

  it('of several of one name are refused in Parquet', async () => {
    const columnData = [1, 2].map((value) => ({
      name: 'a',
      data: [value],
      type: 'INT32' as const,
    }));
    const file = await write('a.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    await assert.rejects(parquet(file), { message: /has several columns a$/ });
  });

  it('say that whole numbers of 64 bits were rounded, and that an index of pandas became an input', async () => {
    const columnData = [
      { name: 'id', data: [123456789012345678n], type: 'INT64' as const },
      { name: '__index_level_0__', data: [0n], type: 'INT64' as const },
    ];
    const file = await write('a.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    const { notices = [] } = await parquet(file);
    assert.deepEqual(
      notices.map(({ message }) => message),
      [
        `${file}: column __index_level_0__ has no name and was read as an input`,
        `1 whole number beyond 16777216 in ${file} were rounded to float32 (123456789012345680 in id of line 1 became 123456790519087100)`,
      ],
    );
  });

  it('are refused where they are no text', async () => {
    const file = await write('a.jsonl', Buffer.from('{"Größe": 1}\n', 'latin1'));
    await assert.rejects(jsonLines(file), {
      code: 'BAD_DATA',
      message: `${file}: is not UTF-8`,
    });
  });

  it('are refused where they are no such file', async () => {
    const file = await write('a.jsonl', '{"a": 1}\n[2]\n');
    await assert.rejects(jsonLines(file), {
      message: /line 2: is a list, not an object/,
    });
    await writeFile(file, '{"a": 1}\n{"b": 1}\n');
    await assert.rejects(jsonLines(file), {
      message: /has "b", which the first line does not have/,
    });
    await writeFile(file, '{"a": 1},\n');
    await assert.rejects(jsonLines(file), { message: /is no JSON/ });
    await assert.rejects(parquet(file), { message: /is no Parquet file/ });
    await assert.rejects(arrow(file), { message: /is no Arrow file/ });
    for (const open of [jsonLines, parquet, arrow])
      await assert.rejects(open(`${file}.gone`), {
        code: 'BAD_DATA',
        message: /not exist|no such file/,
      });
  });

  it('name the reader that was given options without sense', async () => {
    const file = await write('a.jsonl', '{"a": 1}\n');
    for (const open of [jsonLines, parquet, arrow])
      await assert.rejects(open(file, { classes: 0 }), {
        code: 'BAD_PROGRAM',
        message: `classes of ${open.name}() is 0`,
      });
  });
});
