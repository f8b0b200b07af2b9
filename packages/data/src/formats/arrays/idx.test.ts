import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { createTestFolder, plain, type TestFolder } from '../../testing.js';
import { idx } from './idx.js';

function idxFile(kind: number, shape: number[], content: Uint8Array | number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, kind, shape.length]);
  for (const [i, length] of shape.entries()) header.writeUInt32BE(length, 4 + 4 * i);
  return Buffer.concat([header, Uint8Array.from(content)]);
}

const images = idxFile(8, [3, 2, 2], [0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6]);
const labels = idxFile(8, [3], [2, 0, 1]);

describe('idx', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  const pair = async (x: Uint8Array, y: Uint8Array) => ({
    x: await folder.write('images', x),
    y: await folder.write('labels', y),
  });

  const variants = [
    { name: 'plain, in memory', zip: (content: Buffer) => content, options: {} },
    { name: 'gzip', zip: (content: Buffer) => gzipSync(content), options: {} },
    {
      name: 'plain, read where an example lies',
      zip: (content: Buffer) => content,
      options: { memoryLimitBytes: 0 },
    },
  ];
  for (const { name, zip, options } of variants) {
    it(`reads images scaled and labels whole (${name})`, async () => {
      const dataset = await idx(await pair(zip(images), zip(labels)), {
        classes: 3,
        channelDimension: true,
        ...options,
      });
      assert.equal(dataset.size, 3);
      const batch = await dataset.read([1, 0]);
      assert.deepEqual(plain(batch), {
        x: {
          data: [204, 255, 1, 2, 0, 51, 102, 153].map((v) => Math.fround(v * (1 / 255))),
          shape: [2, 2, 2, 1],
          kind: 'Float32Array',
        },
        y: { data: [0, 2], shape: [2], kind: 'Int32Array' },
      });
      assert.deepEqual(plain(await dataset.read([])).x!.shape, [0, 2, 2, 1]);
      await dataset.close?.();
    });
  }

  it('reads the other types, most significant byte first', async () => {
    const floats = Buffer.alloc(8);
    floats.writeFloatBE(1.5, 0);
    floats.writeFloatBE(-2, 4);
    const dataset = await idx(
      await pair(idxFile(13, [2, 1], floats), idxFile(11, [2], [1, 2, 255, 254])),
    );
    assert.deepEqual(plain(await dataset.read([0, 1])), {
      x: { data: [1.5, -2], shape: [2, 1], kind: 'Float32Array' },
      y: { data: [258, -2], shape: [2], kind: 'Int32Array' },
    });
  });

  it('names a file that is missing, a folder or not readable', async () => {
    const y = await folder.write('labels', labels);
    await assert.rejects(idx({ x: `${folder.path}/none`, y }), {
      code: 'BAD_DATA',
      message: `${folder.path}/none: there is no such file or folder`,
    });
    await assert.rejects(idx({ x: folder.path, y }), {
      code: 'BAD_DATA',
      message: /a folder, not/,
    });
  });

  it('refuses a wrong magic number', async () => {
    const wrong = Buffer.from(images);
    wrong[2] = 7;
    await assert.rejects(idx(await pair(wrong, labels)), {
      code: 'BAD_DATA',
      message: /images, byte 0: expected the magic number of an IDX file .* found 00000703/,
    });
  });

  it('refuses truncated and overlong files, with both sizes', async () => {
    await assert.rejects(idx(await pair(images.subarray(0, 20), labels)), {
      code: 'BAD_DATA',
      message:
        /images, byte 20: its header announces uint8 of shape \[3, 2, 2\], 28 bytes in all, but there are 20/,
      remedy: /truncated/,
    });
    await assert.rejects(idx(await pair(images, Buffer.concat([labels, labels]))), {
      code: 'BAD_DATA',
      message: /labels, byte 11: .* 11 bytes in all, but there are 22/,
    });
    for (const length of [0, 3, 9]) {
      await assert.rejects(idx(await pair(images.subarray(0, length), labels)), {
        code: 'BAD_DATA',
        message: /images, byte \d+: expected \d+ bytes but the file ends after \d+/,
      });
    }
  });

  it('refuses damaged gzip', async () => {
    await assert.rejects(idx(await pair(gzipSync(images).subarray(0, 25), labels)), {
      code: 'BAD_DATA',
      message: /images: its 25 bytes are no whole gzip file/,
    });
  });

  it('refuses a label outside the classes, with its place', async () => {
    const wrong = idxFile(8, [3], [2, 0, 3]);
    for (const memoryLimitBytes of [0, 1e6]) {
      await assert.rejects(idx(await pair(images, wrong), { classes: 3, memoryLimitBytes }), {
        code: 'BAD_DATA',
        message: /labels, byte 10: label 3 of example 2 is not one of 0 to 2/,
      });
    }
  });

  it('refuses images and labels of different number', async () => {
    await assert.rejects(idx(await pair(images, idxFile(8, [2], [0, 1]))), {
      code: 'BAD_DATA',
      message: /images and .*labels: field x has 3 examples but field y has 2$/,
      remedy: /belong together/,
    });
  });

  it('refuses an example that does not exist', async () => {
    const dataset = await idx(await pair(images, labels));
    await assert.rejects(dataset.read([3]), { code: 'BAD_DATA', message: /example 3 of .*images/ });
  });
});
