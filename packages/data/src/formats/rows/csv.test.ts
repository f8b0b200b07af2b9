import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { createTestFolder, plain, type TestFolder } from '../../testing.js';
import { type CsvOptions, csv } from './csv.js';

const flowers = [
  'length,width,species',
  '5.1,3.5,setosa',
  '',
  '7, -3.2 ,"versi,color"',
  '6.3,1e1,setosa',
].join('\r\n');
const schema = { label: 'species', classes: ['setosa', 'versi,color'] };

describe('csv', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const open = async (content: string | Uint8Array, options: CsvOptions = {}) =>
    csv(await folder.write('a.csv', content), options);

  it('reads what spreadsheets write: semicolons, decimal commas, quotes, a byte-order mark', async () => {
    const sheet = '\uFEFFrooms;"rent, net";note\r\n3,5;"1.250,75";"a ""b"""\r\n4;-0,5;c\r\n';
    const data = await open(sheet, {
      decimal: ',',
      label: 'rent, net',
      categories: { note: ['a "b"', 'c'] },
    });
    const { x, y } = await data.read([0, 1]);
    assert.deepEqual([...x!.data], [3.5, 1, 0, 4, 0, 1]);
    assert.deepEqual([...y!.data], [1250.75, -0.5]);
    const tabs = await (await open('a\tb\n1\t2\n')).read([0]);
    assert.deepEqual([...tabs.x!.data], [1, 2]);
  });

  it('tells of commas before decimals', async () => {
    await assert.rejects(open('a;b\n1,5;2\n'), {
      code: 'BAD_DATA',
      remedy: "If its comma stands before decimals, say decimal: ','.",
    });
    await assert.rejects(open('a;b\n1.5;2\n', { decimal: ',' }), {
      message: /expected a number in a, found "1\.5"/,
    });
    for (const text of ['1e400', 'Infinity'])
      await assert.rejects(open(`a\n${text}\n`), { remedy: /^Correct it, or list the words/ });
  });

  it('takes no comma before decimals for one between cells', async () => {
    const read = async (text: string, options: CsvOptions = {}) => {
      const { x } = await (await open(text, { decimal: ',', ...options })).read([0]);
      return [...x!.data];
    };
    assert.deepEqual(await read('1,5;2,5\n', { header: false }), [1.5, 2.5]);
    assert.deepEqual(await read('1,5\t2\n', { header: false }), [1.5, 2]);
    assert.deepEqual(await read('rent, net;rooms\n1,5;2\n'), [1.5, 2]);
    assert.deepEqual(await read('a\n1,5\n'), [1.5]);
    assert.deepEqual(await read('a,b\n"1,5",2\n'), [1.5, 2]);
    assert.deepEqual(await read('"1,5","2,5"\n', { header: false }), [1.5, 2.5]);
    await assert.rejects(read('1,5\n', { header: false }), {
      code: 'BAD_DATA',
      message: /line 1: its commas may stand before decimals, or between cells/,
    });
    assert.deepEqual(await read('1,5\n', { header: false, delimiter: ';' }), [1.5]);
    assert.deepEqual(await read('1,5\n', { header: false, delimiter: ',' }), [1, 5]);
  });

  const variants = [
    { name: 'in memory', content: flowers, options: {} },
    { name: 'gzip', content: gzipSync(flowers), options: {} },
    { name: 'row by row from the disk', content: flowers, options: { memoryLimitBytes: 0 } },
    { name: 'with a byte-order mark', content: `\uFEFF${flowers}`, options: {} },
    {
      name: 'with a byte-order mark, from the disk',
      content: `\uFEFF${flowers}`,
      options: { memoryLimitBytes: 0 },
    },
  ];
  for (const { name, content, options } of variants) {
    it(`reads inputs and classes (${name})`, async () => {
      const dataset = await open(content, { ...schema, ...options });
      assert.equal(dataset.size, 3);
      assert.deepEqual(plain(await dataset.read([1, 2, 0, 1])), {
        x: {
          data: [7, -3.2, 6.3, 10, 5.1, 3.5, 7, -3.2].map(Math.fround),
          shape: [4, 2],
          kind: 'Float32Array',
        },
        y: { data: [1, 0, 0, 1], shape: [4], kind: 'Int32Array' },
      });
      assert.deepEqual(plain(await dataset.read([])).x!.shape, [0, 2]);
      await dataset.close?.();
    });
  }

  it('finds every row again by its offset, whatever the line ends and quotes', async () => {
    const row = fc.record({
      values: fc.tuple(fc.integer(), fc.integer()),
      quoted: fc.boolean(),
      end: fc.constantFrom('\n', '\n\n'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        const text = rows.map(({ values, quoted, end }) => {
          const [a, b] = values.map((value) => (quoted ? `"${value}\n"` : `${value}`));
          return `${a};${b}${end}`;
        });
        const options = { header: false, delimiter: ';', label: 1, memoryLimitBytes: 0 };
        const dataset = await open(text.join(''), options);
        assert.equal(dataset.size, rows.length);
        const indices = rows.map((_, i) => rows.length - 1 - i);
        const { x, y } = await dataset.read(indices);
        await dataset.close?.();
        assert.deepEqual(
          indices.map((i) => rows[i]!.values.map(Math.fround)),
          indices.map((_, i) => [x!.data[i], y!.data[i]]),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('passes over a byte-order mark before the first row', async () => {
    const dataset = await open('\uFEFF1,2\n3,4', { header: false, memoryLimitBytes: 0 });
    assert.deepEqual([...(await dataset.read([1, 0])).x!.data], [3, 4, 1, 2]);
    await dataset.close?.();
  });

  it('reads a file larger than one run of reading', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i}.${'0'.repeat(60)},${i % 7}`);
    for (const memoryLimitBytes of [0, 1e9]) {
      const dataset = await open(rows.join('\n'), {
        header: false,
        label: 1,
        classes: 7,
        memoryLimitBytes,
      });
      assert.equal(dataset.size, 20_000);
      const { x, y } = await dataset.read([19_999, 14_321, 0]);
      assert.deepEqual(
        [[...x!.data], [...y!.data]],
        [
          [19_999, 14_321, 0],
          [0, 6, 0],
        ],
      );
      await dataset.close?.();
    }
  });

  it('chooses columns, shapes and scales them, and reads a regression', async () => {
    const dataset = await open('a,b,c,d\n1,2,3,x\n4,5,6,y\n', {
      columns: ['c', 0],
      label: 'b',
      shape: [2, 1],
      scale: 2,
    });
    assert.deepEqual(plain(await dataset.read([1])), {
      x: { data: [12, 8], shape: [1, 2, 1], kind: 'Float32Array' },
      y: { data: [5], shape: [1], kind: 'Float32Array' },
    });
    const unlabelled = await open('a,b\n1,2\n');
    assert.deepEqual(Object.keys(await unlabelled.read([0])), ['x']);
  });

  it('makes an input of each word of a column, and fills in what is missing', async () => {
    const flats = 'area,city,rooms,rent\n80,Bern,,9\n60, Basel ,2,7\n,Bern,3,5\n';
    const options = {
      label: 'rent',
      categories: { city: ['Basel', 'Bern'] },
      missing: { rooms: 2.5, area: 0 },
      scale: 0.5,
    };
    for (const memoryLimitBytes of [0, 1e6]) {
      const dataset = await open(flats, { ...options, memoryLimitBytes });
      const { x, y } = plain(await dataset.read([2, 0, 1]));
      assert.deepEqual(x, {
        data: [0, 0, 1, 1.5, 40, 0, 1, 2.5, 30, 1, 0, 1],
        shape: [3, 4],
        kind: 'Float32Array',
      });
      assert.deepEqual(y!.data, [5, 9, 7]);
      await dataset.close?.();
    }
    const nameless = { header: false, categories: { 1: ['b', ''] }, shape: [3, 1] };
    const { x } = plain(await (await open('1,b\n2,\n', nameless)).read([0, 1]));
    assert.deepEqual(
      [x!.data, x!.shape],
      [
        [1, 1, 0, 2, 0, 1],
        [2, 3, 1],
      ],
    );
  });

  it('names file and line of a ragged row, a cell without number and a wrong label', async () => {
    for (const memoryLimitBytes of [0, 1e6]) {
      for (const [content, options, message] of [
        ['a,b\n1,2\n\n3\n', {}, /a.csv, line 4: expected 2 columns, found 1/],
        ['a,b\n1,2\n3,4,5\n', {}, /a.csv, line 3: expected 2 columns, found 3/],
        ['a,b\n1,2\n3,four\n', {}, /a.csv, line 3: expected a number in b, found "four"/],
        ['a,b\n1,\n', {}, /a.csv, line 2: expected a number in b, found an empty cell/],
        ['a,b\n1,1e99\n', {}, /a.csv, line 2: expected a number in b, found "1e99"/],
        ['a,b\n1,2\n', { label: 'b', classes: 2 }, /line 2: label "2" in b is not one of 0 to 1/],
        ['a,b\n1,\n', { label: 'b', classes: 2 }, /line 2: label "" in b/],
        ['a,b\n1,C\n', { label: 'b', classes: ['A', 'B'] }, /label "C" in b is not one of A, B/],
        ['a,b\n1,2\n', { label: 'c' }, /a.csv, line 1: there is no column c, only a, b/],
        ['a,b\n1,2\n', { shape: [3] }, /2 inputs do not fill the shape \[3\]/],
        ['a,b\n1,x\n', { categories: { b: ['y', 'z'] } }, /line 2: "x" in b is not one of y, z/],
        ['a,b\n1,2\n', { categories: { c: ['y'] } }, /there is no column c, only a, b/],
        ['a,b\n1,2\n', { label: 'b', missing: { b: 3 } }, /`missing` names b, which is no input/],
        ['a,b\n1,\n', { missing: { a: 3 } }, /line 2: expected a number in b, found an empty/],
        ['a,b\n"1,2\n', {}, /a.csv, line \d: is not comma-separated values/],
        ['a,b\n1,2\n1, "2"\n', {}, /a.csv, line 3: is not comma-separated values: Invalid Opening/],
        ['a, "b"\n1,2\n', {}, /a.csv, line 1: is not comma-separated values: Invalid Opening/],
        ['a,b\n1,"2"3\n', {}, /a.csv, line 2: is not comma-separated values/],
        ['a,b\n1,NA\n', {}, /line 2: expected a number in b, found "NA"/],
        ['a,b\n1,NA\n', { label: 'b', missing: { a: 1 } }, /expected a number in b, found "NA"/],
        ['a,a\n1,2\n', { label: 'a' }, /a.csv, line 1: there are several columns a/],
        ['a,b\n1,2\n', { scale: 1e39 }, /line 2: expected a number in a, found "1"/],
        ['a,\n1,x\n', {}, /line 2: expected a number in column 1, found "x"/],
        ['1,2\n', {}, /a.csv, line 1: has no row but the first, which holds numbers only/],
        ['a,b\n1,na\n', { missing: { b: 3 } }, /line 2: expected a number in b, found "na"/],
        ['a,b\n1,NA\n', { categories: { b: ['y'] } }, /line 2: "NA" in b is not one of y$/],
        ['a,b\n', {}, /a.csv, line 1: has no rows/],
        ['', {}, /a.csv, line 1: has no rows/],
      ] as const) {
        await assert.rejects(open(content, { memoryLimitBytes, ...options } as CsvOptions), {
          code: 'BAD_DATA',
          message,
        });
      }
    }
    await assert.rejects(csv(`${folder.path}/none.csv`), {
      code: 'BAD_DATA',
      message: /none.csv: there is no such file/,
    });
  });

  it('refuses options that make no sense', async () => {
    for (const [options, message] of [
      [{ classes: ['x', 'x'] }, 'classes of csv() lists "x" twice'],
      [{ classes: 0 }, 'classes of csv() is 0'],
      [{ classes: 'x' }, 'classes of csv() is "x"'],
      [{ categories: { b: 'x' } }, 'categories.b of csv() is "x"'],
      [{ categories: { b: ['x', 'x'] } }, 'categories.b of csv() lists "x" twice'],
      [{ scale: Number.NaN }, 'scale of csv() is NaN'],
      [{ shape: [-1, -2] }, 'shape of csv() is [-1,-2]'],
      [{ columns: 'a' }, 'columns of csv() is "a"'],
      [{ delimiter: '' }, 'delimiter is ""'],
      [{ missing: { b: '3' } }, '`missing` says "3" for b'],
      [{ categories: { b: ['x'] }, missing: { b: 3 } }, '`missing` says 3 for b'],
    ] as const)
      await assert.rejects(open('a,b\n1,2\n', options as object), { code: 'BAD_PROGRAM', message });
  });

  it('refuses a table without a column for the inputs', async () => {
    for (const [text, columns] of [
      ['a,b\n1,2\n', []],
      ['b\n2\n', undefined],
    ] as const)
      await assert.rejects(open(text, { columns, label: 'b' }), {
        code: 'BAD_DATA',
        message: /a.csv, line 1: has no column for the inputs/,
      });
  });

  it('knows the words for a value that is missing, as pandas does, and eats no other', async () => {
    const words = ['', ' ', '?', 'NA', 'NaN', 'nan', 'N/A', 'n/a', '#N/A', 'NULL', 'null', 'None'];
    const rows = words.map((word, i) => `${i},${word}\n`);
    const filled = await open(`a,b\n${rows.join('')}9,0\n`, { missing: { b: -1 } });
    const { x } = await filled.read([...words.keys(), words.length]);
    assert.deepEqual(
      [...x!.data].filter((_, at) => at % 2 === 1),
      [...words.map(() => -1), 0],
    );
    const countries = 'country\nNA\nCH\nnull\n?\n';
    const categories = { country: ['CH', 'NA'] };
    const dataset = await open(countries, { categories, missing: { country: 'CH' } });
    // Namibia is a country.
    assert.deepEqual([...(await dataset.read([0, 1, 2, 3])).x!.data], [0, 1, 1, 0, 1, 0, 1, 0]);
  });

  for (const [name, encode] of [
    ['UTF-16, little end first', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\uFEFF${text}`)],
  ] as const)
    it(`reads what Windows writes: ${name}`, async () => {
      for (const memoryLimitBytes of [0, 1e6]) {
        const dataset = await open(encode('Größe,Stadt\r\n1,Zürich\r\n2,Genève\r\n'), {
          label: 'Stadt',
          classes: ['Genève', 'Zürich'],
          columns: ['Größe'],
          memoryLimitBytes,
        });
        const { x, y } = await dataset.read([1, 0]);
        assert.deepEqual(
          [[...x!.data], [...y!.data]],
          [
            [2, 1],
            [0, 1],
          ],
        );
        await dataset.close?.();
      }
    });

  it('says that a file is not UTF-8 where a word of it is unknown', async () => {
    const options = { label: 'city', classes: ['Zürich'] };
    await assert.rejects(open(Buffer.from('a,city\n1,Zürich\n', 'latin1'), options), {
      code: 'BAD_DATA',
      remedy: /The file is not UTF-8: save it anew as that\.$/,
    });
  });

  it('says what it passed over and what is likely not meant', async () => {
    const messages = async (text: string, options: CsvOptions = {}) =>
      ((await open(text, options)).notices ?? []).map(({ message }) =>
        message.split('a.csv: ').at(-1),
      );
    assert.deepEqual(await messages('a,b\n1,2\n3,4\n\n\n'), []);
    assert.deepEqual(await messages('a\n1\n\n\n4\n'), [
      '2 blank lines were passed over between the rows',
    ]);
    assert.deepEqual(await messages('5,6,7,8\n1,2,3,4\n'), [
      'the first line was read as the names of the columns, but holds numbers only (5, 6, 7, …)',
    ]);
    assert.deepEqual(await messages('5,6\n1,2\n', { header: false }), []);
    assert.deepEqual(await messages('5,5;6\n1;2\n', { decimal: ',' }), [
      'the first line was read as the names of the columns, but holds numbers only (5,5, 6)',
    ]);
    assert.deepEqual(await messages('a,b\n1,2\n', { columns: ['a', 'b'], label: 'b' }), [
      'the label, b, is an input, too',
    ]);
    assert.deepEqual(await messages(',a\n0,5\n1,6\n'), [
      'column 0 has no name and was read as an input',
    ]);
    assert.deepEqual(await messages(',a\n0,5\n1,6\n', { columns: ['a'] }), []);
    const [rounded] = await messages('id\n16777217\n16777219\n1.5\n', { memoryLimitBytes: 0 });
    assert.match(
      rounded!,
      /^2 whole numbers beyond 16777216 in .*a\.csv were rounded to float32 \(16777217 in id of line 2 became 16777216\)$/,
    );
  });

  it('notices a file that changed after it was opened', async () => {
    const dataset = await open('a,b\n1,2\n3,4\n', { memoryLimitBytes: 0 });
    await folder.write('a.csv', 'a,b\n1,x\n3\n44\n');
    for (const [index, message] of [
      [0, /a.csv, byte 4: expected a number in b, found "x"/],
      [1, /a.csv, byte 8: expected 1 rows, found 2/],
    ] as const) {
      await assert.rejects(dataset.read([index]), { code: 'BAD_DATA', message });
    }
    await folder.write('a.csv', 'a,b\n1,"\n3,4\n');
    await assert.rejects(dataset.read([0]), { code: 'BAD_DATA', message: /a.csv/ });
    await dataset.close?.();
  });
});
