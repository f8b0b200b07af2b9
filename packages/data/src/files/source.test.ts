import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { createTestFolder, type TestFolder } from '../testing.js';
import { openSource, sectionOf } from './source.js';

describe('source', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  it('holds a file up to the limit in memory and reads a larger one in place', async () => {
    const file = await folder.write('a', Uint8Array.of(0, 1, 2, 3, 4));
    for (const [memoryLimitBytes, held] of [
      [5, true],
      [4, false],
    ] as const) {
      const source = await openSource(file, { memoryLimitBytes });
      assert.equal(source.bytes !== undefined, held);
      const target = new Uint8Array(2);
      await source.readInto(target, 3);
      assert.deepEqual([...target], [3, 4]);
      await sectionOf(source, 1, 3).readInto(target, 1);
      assert.deepEqual([...target], [2, 3]);
      await assert.rejects(source.readInto(target, 4), {
        code: 'BAD_DATA',
        message: `${file}, byte 4: expected 2 bytes but the file ends after 1`,
      });
      await source.close();
    }
  });

  it('notices a file that shrank after it was opened', async () => {
    const file = await folder.write('a', new Uint8Array(100));
    const source = await openSource(file, { memoryLimitBytes: 0 });
    await truncate(file, 50);
    await assert.rejects(source.readInto(new Uint8Array(10), 45), {
      code: 'BAD_DATA',
      message: `${file}, byte 45: expected 10 bytes but the file ends after 5`,
      remedy: /truncated/,
    });
    await source.close();
  });
});
