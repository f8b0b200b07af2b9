import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TuttiError } from '@tutti/runtime';
import { createTestFolder, plain, type TestFolder } from '../../testing.js';
import { npy } from './npy.js';
import { npz } from './npz.js';

// Written by NumPy itself: fixtures/make.py.
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));

describe('npy', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  for (const memoryLimitBytes of [0, 1e6]) {
    it(`reads floats and integers of either byte order (limit ${memoryLimitBytes})`, async () => {
      const dataset = await npy(
        { x: fixture('f4.npy'), y: fixture('i2-big-endian.npy'), z: fixture('f8-big-endian.npy') },
        { memoryLimitBytes },
      );
      assert.deepEqual(plain(await dataset.read([1, 0])), {
        x: { data: [3, 4, 1.5, -2], shape: [2, 2], kind: 'Float32Array' },
        y: { data: [-2, 1], shape: [2], kind: 'Int32Array' },
        z: { data: [-1e10, 0.25], shape: [2, 1], kind: 'Float32Array' },
      });
      await dataset.close?.();
    });
  }

  it('reads bool as uint8, or scaled to float32', async () => {
    const as = async (scale?: number) =>
      plain(await (await npy({ x: fixture('bool.npy') }, { scale })).read([0, 1])).x;
    assert.deepEqual(await as(), { data: [1, 0], shape: [2], kind: 'Uint8Array' });
    assert.deepEqual(await as(2), { data: [2, 0], shape: [2], kind: 'Float32Array' });
  });

  it('refuses what it cannot read, saying how to save it', async () => {
    for (const [name, message, remedy] of [
      ['fortran.npy', /lies in Fortran order/, /ascontiguousarray/],
      ['complex.npy', /type that is not supported: 'descr': '<c8'/, /astype/],
      ['record.npy', /type that is not supported: 'descr': \[\('a'/, /astype/],
      ['scalar.npy', /a single number/, /first dimension/],
    ] as const) {
      await assert.rejects(npy({ x: fixture(name) }), { code: 'BAD_DATA', message, remedy });
    }
  });

  it('refuses a wrong magic number, an unknown version and a truncated file', async () => {
    const good = await readFile(fixture('f4.npy'));
    const wrong = Buffer.from(good);
    wrong[0] = 0x20;
    const newer = Buffer.from(good);
    newer[6] = 9;
    for (const [content, message] of [
      [wrong, /x.npy, byte 0: expected the magic number of a .npy file .* found 204e554d5059/],
      [Buffer.alloc(0), /x.npy, byte 0: expected the magic number/],
      [newer, /x.npy, byte 6: version 9/],
      [good.subarray(0, 50), /x.npy, byte 50: its header should end at byte 128/],
      [good.subarray(0, 140), /x.npy, byte 140: .* shape \[2, 2\], 144 bytes .* there are 140/],
      [Buffer.concat([good, good]), /x.npy, byte 144: .* but there are 288/],
    ] as const) {
      const x = await folder.write('x.npy', content);
      await assert.rejects(npy({ x }), { code: 'BAD_DATA', message });
    }
  });

  it('refuses fractional labels, labels out of range and unequal sizes', async () => {
    const options = { classes: 2 };
    await assert.rejects(npy({ y: fixture('f4.npy') }, options), {
      code: 'BAD_DATA',
      message: /f4.npy, byte 128: holds float32 numbers, but labels/,
    });
    await assert.rejects(npy({ y: fixture('i2-big-endian.npy') }, options), {
      code: 'BAD_DATA',
      message: /i2-big-endian.npy, byte 130: label -2 of example 1 is not one of 0 to 1/,
    });
    const bits = await readFile(fixture('bool.npy'));
    const text = bits.toString('latin1').replace('(2,)', '(1,)').slice(0, -1);
    const x = await folder.write('x.npy', Buffer.from(text, 'latin1'));
    await assert.rejects(npy({ x, y: fixture('bool.npy') }, options), {
      code: 'BAD_DATA',
      message: /x.npy and .*bool.npy: field x has 1 examples but field y has 2$/,
    });
  });

  it('names file, byte and example of a number that does not fit', async () => {
    const save = (descr: string, numbers: Uint8Array) => {
      const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (2, 2), }`.padEnd(117);
      const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1');
      return folder.write('x.npy', Buffer.concat([start, numbers]));
    };
    for (const [descr, numbers, message] of [
      ['<i8', BigInt64Array.of(1n, 2n, 3n, 2n ** 31n), /number 2147483648 does not fit into 32/],
      ['<f8', Float64Array.of(1, 2, 3, -1e39), /number -1e\+39 does not fit into float32/],
    ] as const)
      for (const memoryLimitBytes of [0, 1e6]) {
        const x = await save(descr, new Uint8Array(numbers.buffer));
        const dataset = await npy({ x }, { memoryLimitBytes });
        await dataset.read([0]);
        await assert.rejects(dataset.read([0, 1]), (error: TuttiError) => {
          assert.match(error.message, /x\.npy, byte 152: .* \(example 1\)$/);
          assert.match(error.message, message);
          return error.code === 'BAD_DATA';
        });
        await dataset.close?.();
      }
  });

  it('reads only the fields that are wanted', async () => {
    const dataset = await npy({ x: fixture('f4.npy'), y: fixture('i2-big-endian.npy') });
    assert.deepEqual(Object.keys(await dataset.read([0], ['y'])), ['y']);
    assert.deepEqual(Object.keys(await dataset.read([0])), ['x', 'y']);
  });
});

describe('npz', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const fields = { x: 'x_train', y: 'y_train' };
  const variants = [
    { name: 'stored, in memory', file: 'stored.npz', options: {} },
    { name: 'stored, where an example lies', file: 'stored.npz', options: { memoryLimitBytes: 0 } },
    { name: 'compressed', file: 'compressed.npz', options: { fields } },
  ];
  for (const { name, file, options } of variants) {
    it(`reads the members of an archive (${name})`, async () => {
      const dataset = await npz(fixture(file), { scale: 1 / 51, classes: 3, ...options });
      assert.deepEqual(plain(await dataset.read([2, 0])), {
        x: { data: [4, 5, 0, 1], shape: [2, 2], kind: 'Float32Array' },
        y: { data: [1, 2], shape: [2], kind: 'Int32Array' },
      });
      await dataset.close?.();
    });
  }

  it('names the members there are when one is missing', async () => {
    await assert.rejects(npz(fixture('compressed.npz')), {
      code: 'BAD_DATA',
      message: /compressed.npz: has no member x, only x_train, y_train/,
    });
  });

  it('refuses what is no archive, a truncated one and a damaged member', async () => {
    const good = await readFile(fixture('stored.npz'));
    const damaged = Buffer.from(good);
    damaged[188]! ^= 1;
    for (const [content, message] of [
      [Buffer.from('not a zip'), /a.npz: is no whole zip archive/],
      [good.subarray(0, good.length - 30), /a.npz: is no whole zip archive/],
      [damaged, /a.npz, byte \d+: the checksum of member x.npy/],
    ] as const) {
      await assert.rejects(npz(await folder.write('a.npz', content)), {
        code: 'BAD_DATA',
        message,
      });
    }
    await assert.rejects(npz(`${folder.path}/none.npz`), {
      code: 'BAD_DATA',
      message: /none.npz: there is no such file/,
    });
  });
});
