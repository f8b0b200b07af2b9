import assert from 'node:assert/strict';
import {
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeList,
  Float16,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { createTestFolder, type TestFolder } from '../../testing.js';
import { arrow } from './arrow.js';

describe('Arrow', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const tableOf = (vector: Vector) => new Table({ a: vector });
  const open = async (vector: Vector, schema = {}) =>
    arrow(await folder.write('a.arrow', tableToIPC(tableOf(vector), 'file')), schema);
  const read = async (vector: Vector, schema = {}) => {
    const data = await open(vector, schema);
    const { x } = await data.read([...Array(data.size).keys()]);
    return [...x!.data];
  };
  const child = <T extends DataType>(type: T) => new Field('item', type, true);

  it('has lists of any kind of number, in lists', async () => {
    const halves = vectorFromArray(
      [
        [0.5, -2],
        [1, 65504],
      ],
      new List(child(new Float16())),
    );
    assert.deepEqual(await read(halves), [0.5, -2, 1, 65504]);
    const pairs = new FixedSizeList(2, child(new Int32()));
    const nested = vectorFromArray(
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      new List(child(pairs)),
    );
    assert.deepEqual(await read(nested), [1, 2, 3, 4]);
  });

  it('has nothing, not 0, where a list lacks a value', async () => {
    const lists = vectorFromArray([[1, null]], new List(child(new Int32())));
    await assert.rejects(open(lists), { message: /expected a number in a.1, found an empty cell/ });
    assert.deepEqual(await read(lists, { missing: { a: 7 } }), [1, 7]);
  });

  it('has decimal numbers of any size and sign', async () => {
    for (const [bitWidth, scale, unscaled, expected] of [
      [128, 3, -12345n, -12.345],
      [128, -2, 12n, 1200],
      [256, 10, 10n ** 40n + 5n, 1e30],
    ] as const) {
      const words = Array.from({ length: bitWidth / 32 }, (_, at) =>
        Number(BigInt.asUintN(32, unscaled >> BigInt(32 * at))),
      );
      const data = makeData({
        type: new Decimal(scale, 38, bitWidth),
        data: Uint32Array.from(words),
        length: 1,
      });
      assert.deepEqual(await read(new Vector([data])), [Math.fround(expected)]);
    }
  });

  it('has no numbers in dates and structures', async () => {
    const day = new Date('2024-02-29');
    for (const type of [new DateDay(), new TimestampMillisecond()])
      await assert.rejects(open(vectorFromArray([day], type)), {
        message: /expected a number in a, found "2024-02-29T00:00:00.000Z"/,
      });
    const words = { categories: { a: ['2024-02-29T00:00:00.000Z'] } };
    assert.deepEqual(await read(vectorFromArray([day], new DateDay()), words), [1]);
    const place = vectorFromArray([{ id: 1 }], new Struct([new Field('id', new Int32())]));
    await assert.rejects(open(place), { message: /expected a number in a, found "{"id":1}"/ });
  });

  it('tells columns of one name apart by their position', async () => {
    const columns = [[1], [2]].map((values) => vectorFromArray(values, new Int32()).data[0]!);
    const fields = columns.map(({ type }) => new Field('a', type));
    const data = makeData({ type: new Struct(fields), length: 1, nullCount: 0, children: columns });
    const table = new Table(new RecordBatch(new Schema(fields), data));
    const file = await folder.write('a.arrow', tableToIPC(table, 'file'));
    const { x, y } = await (await arrow(file, { columns: [1], label: 0 })).read([0]);
    assert.deepEqual([[...x!.data], [...y!.data]], [[2], [1]]);
    await assert.rejects(arrow(file, { label: 'a' }), { message: /there are several columns a/ });
  });

  it('is refused where a stream was cut, wherever it was', async () => {
    const halves = [0, 1].map(() => tableOf(vectorFromArray([1, 2], new Int32())));
    const whole = tableToIPC(halves[0]!.concat(halves[1]!), 'stream');
    const file = await folder.write('a.arrows', whole);
    assert.equal((await arrow(file)).size, 4);
    for (let length = 0; length < whole.length; length++) {
      await folder.write('a.arrows', whole.subarray(0, length));
      await assert.rejects(arrow(file), { code: 'BAD_DATA' }, `${length} of ${whole.length} bytes`);
    }
  });

  it('is refused where it says that it has more values than there is room for', async () => {
    const table = tableOf(vectorFromArray(Array<number>(77).fill(1), new Int32()));
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(77n);
    for (const kind of ['file', 'stream'] as const) {
      const whole = Buffer.from(tableToIPC(table, kind));
      const file = await folder.write('a.arrow', whole);
      assert.equal((await arrow(file)).size, 77);
      // Of the batch, then of its column.
      for (let at = -1; ; ) {
        at = whole.indexOf(count, at + 1);
        if (at === -1) break;
        for (const damaged of [2n ** 40n, -1n]) {
          const bytes = Buffer.from(whole);
          bytes.writeBigInt64LE(damaged, at);
          await folder.write('a.arrow', bytes);
          await assert.rejects(arrow(file), {
            code: 'BAD_DATA',
            message: new RegExp(`can be read \\(${damaged} values in ${bytes.length} bytes\\)`),
          });
        }
      }
    }
  });

  it('is refused where the end of a file is damaged', async () => {
    const bytes = tableToIPC(tableOf(vectorFromArray([1, 2], new Int32())), 'file').slice();
    bytes[bytes.length - 1]! ^= 1;
    await assert.rejects(arrow(await folder.write('a.arrow', bytes)), {
      code: 'BAD_DATA',
      message: /it does not end as a file does/,
    });
  });
});
