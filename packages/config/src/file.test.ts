import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSettingsFile, parseSettings } from './file.js';

describe('settings file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-config-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is found beside the program: JSON before TOML', async () => {
    const programPath = join(folder, 'program.ts');
    assert.equal(await findSettingsFile({ programPath }), undefined);
    await writeFile(join(folder, 'tutti.config.toml'), 'workers = 3\n');
    assert.deepEqual((await findSettingsFile({ programPath }))?.values, { workers: 3 });
    await writeFile(join(folder, 'tutti.config.json'), '{"workers": 4}');
    assert.deepEqual((await findSettingsFile({ programPath }))?.values, { workers: 4 });
    const other = join(folder, 'other.toml');
    await writeFile(other, 'seed = 7\nlogLevel = "debug"\n');
    assert.deepEqual(await findSettingsFile({ config: other, programPath }), {
      path: other,
      values: { seed: 7, logLevel: 'debug' },
    });
  });

  for (const [name, text] of [
    ['tutti.config.json', '{\r\n  "workers": 4\r\n}\r\n'],
    ['tutti.config.toml', '# Zürich\r\nworkers = 4\r\n'],
  ] as const)
    it(`is read as Windows writes it: ${name}`, async () => {
      const programPath = join(folder, 'program.ts');
      for (const bytes of [
        Buffer.from(text),
        Buffer.from(`\uFEFF${text}`),
        Buffer.from(`\uFEFF${text}`, 'utf16le'),
        Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
      ]) {
        await writeFile(join(folder, name), bytes);
        assert.deepEqual((await findSettingsFile({ programPath }))?.values, { workers: 4 });
      }
      await writeFile(join(folder, name), Buffer.from(text, 'utf16le'));
      await assert.rejects(findSettingsFile({ programPath }), {
        code: 'BAD_CONFIG',
        message: /tutti\.config\.\w+ holds zero bytes, like UTF-16 without its mark\.$/,
        remedy: 'Save it as UTF-8.',
      });
    });

  it('must exist, be a file and parse, if it was named', async () => {
    const missing = join(folder, 'missing.json');
    await assert.rejects(findSettingsFile({ config: missing }), {
      code: 'BAD_CONFIG',
      message: `The settings file ${missing} does not exist.`,
    });
    await assert.rejects(findSettingsFile({ config: folder }), {
      code: 'BAD_CONFIG',
      message: /cannot be read: EISDIR/,
    });
    assert.throws(() => parseSettings('a.json', '{"workers": }'), {
      code: 'BAD_CONFIG',
      message: /a\.json does not parse: .*position 12|a\.json does not parse: .*Unexpected token/,
    });
    assert.throws(() => parseSettings('a.toml', 'seed = 1\nworkers = = 3'), {
      code: 'BAD_CONFIG',
      message: /a\.toml does not parse \(line 2, column 11\)/,
    });
    for (const text of ['[1]', 'null', '3']) {
      assert.throws(() => parseSettings('a.json', text), /holds no object/);
    }
  });
});
