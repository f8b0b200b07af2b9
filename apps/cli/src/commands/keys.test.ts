import assert from 'node:assert/strict';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inTemporaryFolder, LINE, listening, tutti } from '../testing.js';

describe('tutti keys', () => {
  it('makes a key, says what to do with it, and never replaces one', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'job.key');
      const { code, stdout } = await tutti(['keys', path]);
      assert.equal(code, 0);
      assert.ok(stdout.includes(`--key-file ${path}`));
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      const key = await readFile(path);
      const again = await tutti(['keys', path, '--json']);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /is there already/);
      assert.equal(again.json().at(-1)!.code, 'STORAGE');
      assert.deepEqual(await readFile(path), key);
    }));

  it('without a file is wrong usage', async () => {
    const { code, stderr } = await tutti(['keys']);
    assert.equal(code, 2);
    assert.match(stderr, /missing required argument 'file'/);
  });
});

describe('without a key', () => {
  for (const command of ['coordinator', 'server'])
    it(`tutti ${command} does not listen where others can connect, and says both ways out`, async () => {
      const { code, stderr } = await tutti([command, '--listen', 'tcp://*:0']);
      assert.equal(code, 2);
      assert.match(stderr, /tutti keys job\.key/);
      assert.match(stderr, /--key-file job\.key/);
      assert.match(stderr, /--insecure/);
    });

  it('tutti train does not either', async () => {
    const { code, stderr } = await tutti(['train', LINE, '--workers', '1', '--listen', '*:0']);
    assert.equal(code, 2);
    assert.match(stderr, /Without a key Tutti does not listen at tcp:\/\/\*:0/);
  });

  it('tutti server does, where it is told --insecure', async () => {
    const stop = new AbortController();
    const { ran } = await listening(['server', '--json', '--listen', '*:0', '--insecure'], {
      signal: stop.signal,
    });
    stop.abort();
    assert.equal((await ran).code, 130);
  });
});

describe('with a key', () => {
  it('a local run with processes for its servers gives the same digest', () =>
    inTemporaryFolder(async (folder) => {
      const keyFile = join(folder, 'job.key');
      await tutti(['keys', keyFile]);
      const digestOf = async (...flags: string[]) => {
        const all = ['train', LINE, '--json', '--checkpoint-dir', join(folder, `${flags.length}`)];
        const { code, stderr, json } = await tutti([...all, ...flags]);
        assert.equal(code, 0, stderr);
        return json().at(-1)!.digest;
      };
      assert.equal(
        await digestOf('--workers', '2', '--servers', '2', '--key-file', keyFile),
        await digestOf('--workers', '0'),
      );
    }));

  it('whoever has none is told so, and what to give', () =>
    inTemporaryFolder(async (folder) => {
      const keyFile = join(folder, 'job.key');
      await tutti(['keys', keyFile]);
      const stop = new AbortController();
      const { address, ran } = await listening(
        ['coordinator', '--json', '--listen', '*:0', '--key-file', keyFile],
        { signal: stop.signal },
      );
      const at = address.replace(/^.*:/, 'tcp://127.0.0.1:');
      for (const args of [['worker', LINE], ['status']]) {
        const { code, stderr } = await tutti([...args, '--coordinator', at]);
        assert.equal(code, 1);
        assert.match(stderr, /no key in common.*it wants the key of its job.*\n.*--key-file/);
      }
      assert.equal((await tutti(['status', '--coordinator', at, '--key-file', keyFile])).code, 0);
      await chmod(keyFile, 0o644);
      const exposed = await tutti(['status', '--coordinator', at, '--key-file', keyFile]);
      assert.equal(exposed.code, 2);
      assert.match(exposed.stderr, /mode 0644.*\n.*chmod 600/);
      stop.abort();
      await ran;
    }));
});
