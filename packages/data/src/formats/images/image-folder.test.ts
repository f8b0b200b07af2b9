import assert from 'node:assert/strict';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { createTestFolder, plain, type TestFolder } from '../../testing.js';
import { imageFolder } from './image-folder.js';

/** An image of one colour. */
const image = (red: number, green: number, blue: number, alpha?: number) =>
  sharp({
    create: {
      width: 6,
      height: 4,
      channels: alpha === undefined ? 3 : 4,
      background: { r: red, g: green, b: blue, alpha: alpha ?? 1 },
    },
  });

/** A grey TIFF image of two pixels of 4 bytes. */
function tiff(sampleFormat: number, pixels: Int32Array | Float32Array): Uint8Array {
  const tags = {
    width: [256, 2],
    height: [257, 1],
    bits: [258, 32],
    uncompressed: [259, 1],
    blackIsZero: [262, 1],
    stripOffset: [273, 8],
    samples: [277, 1],
    rows: [278, 1],
    stripBytes: [279, 8],
    sampleFormat: [339, sampleFormat],
  };
  const entries = Object.values(tags).map(([tag, value]) =>
    Buffer.from(Uint16Array.of(tag!, 3, 1, 0, value!, 0).buffer),
  );
  return Buffer.concat([
    Buffer.from('II*\0\x10\0\0\0', 'latin1'),
    Buffer.from(pixels.buffer),
    Buffer.from(Uint16Array.of(entries.length).buffer),
    ...entries,
    Buffer.alloc(4),
  ]);
}

describe('imageFolder', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
    for (const name of ['rose', 'Lily', '.hidden', 'empty']) await mkdir(join(folder.path, name));
    await folder.write('rose/b.png', await image(0, 255, 51).png().toBuffer());
    await folder.write('rose/a.png', await image(255, 0, 102, 1).png().toBuffer());
    await folder.write('Lily/c.PNG', await image(255, 255, 255).png().toBuffer());
    await folder.write('Lily/notes.txt', 'not an image');
    await folder.write('Lily/.b.png', 'hidden');
  });
  afterEach(() => folder.remove());

  const colour = { width: 2, height: 1, channels: 3, classes: ['Lily', 'rose'] } as const;

  it('takes one subfolder a class, files in the order of their names', async () => {
    const dataset = await imageFolder(folder.path, { ...colour, scale: 1 });
    assert.equal(dataset.size, 3);
    assert.deepEqual(plain(await dataset.read([2, 0, 1])), {
      x: {
        data: [0, 255, 51, 0, 255, 51, ...Array(6).fill(255), 255, 0, 102, 255, 0, 102],
        shape: [3, 1, 2, 3],
        kind: 'Float32Array',
      },
      y: { data: [1, 0, 1], shape: [3], kind: 'Int32Array' },
    });
    assert.deepEqual(plain(await dataset.read([])).x!.shape, [0, 1, 2, 3]);
  });

  it('reads grey images from 0 to 1, whatever the files hold', async () => {
    await folder.write('rose/0.jpg', await image(51, 51, 51).jpeg({ quality: 100 }).toBuffer());
    await folder.write('rose/1.png', await image(51, 51, 51).toColourspace('b-w').png().toBuffer());
    await folder.write(
      'rose/2.png',
      await image(51, 51, 51).toColourspace('rgb16').png().toBuffer(),
    );
    const dataset = await imageFolder(folder.path, {
      width: 1,
      height: 1,
      channels: 1,
      classes: ['rose'],
    });
    const { x } = await dataset.read([0, 1, 2]);
    assert.deepEqual(x!.shape, [3, 1, 1, 1]);
    const [jpeg, grey, deep] = x!.data;
    assert.deepEqual([jpeg, grey], [Math.fround(51 / 255), Math.fround(51 / 255)]);
    // 16 bits are rounded to 8.
    assert.ok(Math.abs(deep! - 51 / 255) <= 1.01 / 255, `${deep}`);
  });

  it('keeps the colours of what is transparent, at any size', async () => {
    for (const [name, space] of [
      ['a', 'srgb'],
      ['b', 'rgb16'],
    ] as const)
      await folder.write(
        `empty/${name}.png`,
        await image(200, 100, 50).ensureAlpha(0).toColourspace(space).png().toBuffer(),
      );
    for (const extent of [1, 2, 3]) {
      const { x } = await (
        await imageFolder(folder.path, {
          width: extent,
          height: extent,
          channels: 3,
          scale: 1,
          classes: ['empty'],
        })
      ).read([0, 1]);
      const pixels = Array(2 * extent ** 2).fill([200, 100, 50]);
      x!.data.forEach((value, at) => {
        assert.ok(Math.abs(value - pixels.flat()[at]) <= 1, `${value} at size ${extent}`);
      });
    }
  });

  it('refuses pixels that are no whole numbers of 8 or 16 bits', async () => {
    for (const [sampleFormat, pixels] of [
      [2, Int32Array.of(300, 70_000)],
      [3, Float32Array.of(0.25, 1)],
    ] as const) {
      await folder.write('empty/a.tiff', tiff(sampleFormat, pixels));
      const options = { width: 2, height: 1, channels: 1, classes: ['empty'] } as const;
      await assert.rejects((await imageFolder(folder.path, options)).read([0]), {
        code: 'BAD_DATA',
        message: /its pixels are of type (int|float), not of 8 or 16 bits without a sign/,
      });
    }
  });

  it('finds the classes itself, sorted by character code', async () => {
    await folder.write('empty/a.webp', await image(1, 2, 3).webp().toBuffer());
    const dataset = await imageFolder(folder.path, { width: 1, height: 1, channels: 3 });
    assert.deepEqual(dataset.classes, ['Lily', 'empty', 'rose']);
  });

  it('names a damaged image', async () => {
    const whole = await image(9, 9, 9).png().toBuffer();
    for (const content of ['no image', '', whole.subarray(0, whole.length - 30)]) {
      await folder.write('rose/a.png', content);
      const dataset = await imageFolder(folder.path, colour);
      await dataset.read([0, 2]);
      await assert.rejects(dataset.read([0, 1]), {
        code: 'BAD_DATA',
        message: /rose\/a.png: cannot be decoded as an image/,
      });
    }
  });

  it('follows links to the folders of classes and to images', async () => {
    const store = await createTestFolder();
    try {
      for (const [name, red] of [
        ['tulip', 7],
        ['daisy', 9],
      ] as const) {
        await mkdir(join(store.path, name));
        await store.write(`${name}/a.png`, await image(red, red, red).png().toBuffer());
        await symlink(join(store.path, name), join(folder.path, name));
      }
      await symlink('../rose/b.png', join(folder.path, 'empty', 'z.png'));
      const options = { width: 1, height: 1, channels: 1, scale: 1 } as const;
      const dataset = await imageFolder(folder.path, options);
      assert.deepEqual(dataset.classes, ['Lily', 'daisy', 'empty', 'rose', 'tulip']);
      const { x, y } = await dataset.read([1, 5]);
      assert.deepEqual(
        [[...x!.data], [...y!.data]],
        [
          [9, 7],
          [1, 4],
        ],
      );
    } finally {
      await store.remove();
    }
  });

  it('names a link that leads nowhere, in a circle, or to another class', async () => {
    const options = { width: 1, height: 1, channels: 1 } as const;
    await folder.write('empty/a.png', await image(1, 1, 1).png().toBuffer());
    for (const [link, target, message] of [
      ['tulip', 'none', /tulip: is a link that leads nowhere$/],
      ['tulip', 'tulip', /tulip: is a link that leads back to itself$/],
      ['rose/d.png', 'none.png', /rose\/d.png: is a link that leads nowhere$/],
      ['tulip', 'rose', /tulip: is the same folder as class rose$/],
      ['tulip', '.', /tulip: has no images/],
    ] as const) {
      await symlink(target, join(folder.path, link));
      await assert.rejects(imageFolder(folder.path, options), { code: 'BAD_DATA', message });
      await rm(join(folder.path, link));
    }
  });

  it('says what it passed over', async () => {
    await mkdir(join(folder.path, 'rose', 'more'));
    await folder.write('README', 'about flowers');
    const { notices } = await imageFolder(folder.path, colour);
    assert.deepEqual(
      notices!.map(({ message }) => message),
      [
        `${folder.path}: passed over 2 hidden (.hidden, Lily/.b.png); 1 beside the folders (README); 1 that \`classes\` does not name (empty); 1 no images (Lily/notes.txt); 1 folders in folders (rose/more)`,
      ],
    );
  });

  it('gives labels without decoding images', async () => {
    await folder.write('rose/a.png', 'no image');
    const dataset = await imageFolder(folder.path, colour);
    assert.deepEqual(Object.keys(await dataset.read([0, 1], ['y'])), ['y']);
  });

  it('names a folder that is missing, has no classes or no images', async () => {
    const size = { width: 1, height: 1, channels: 3 } as const;
    const path = (name: string) => join(folder.path, name);
    for (const [root, classes, message] of [
      [path('none'), undefined, /none: there is no such file or folder/],
      [path('rose/a.png'), undefined, /a.png: this is a file where a folder was expected/],
      [path('rose'), undefined, /rose: has no subfolders/],
      [folder.path, undefined, /empty: has no images/],
      [folder.path, ['tulip'], /tulip: there is no such file/],
    ] as const) {
      await assert.rejects(imageFolder(root, { ...size, classes }), { code: 'BAD_DATA', message });
    }
    await assert.rejects(imageFolder(folder.path, { ...size, width: 0 }), {
      code: 'BAD_DATA',
      message: 'the width of images is 0',
    });
  });
});
