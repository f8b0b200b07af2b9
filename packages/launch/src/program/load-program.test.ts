import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProgram } from './load-program.js';

const SOURCE = `import { city } from './city.js';
export default {
  name: city,
  data() {},
  open() {},
  optimizer: { name: 'sgd', learningRate: 1 },
  batchSize: 1,
  epochs: 1,
  seed: 1,
};
`;
const CITY = "export const city = 'Zürich';\n";

describe('the sources of a program', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-program-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function load(program: string | Uint8Array, city: string | Uint8Array = CITY) {
    await writeFile(join(folder, 'program.mjs'), program);
    await writeFile(join(folder, 'city.js'), city);
    return (await loadProgram(join(folder, 'program.mjs'))).program;
  }

  it('may end their lines as Windows does, and begin with a byte-order mark', async () => {
    const windows = (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
    await writeFile(join(folder, 'package.json'), windows('{ "type": "module" }\n'));
    assert.equal((await load(windows(SOURCE), windows(CITY))).name, 'Zürich');
  });

  for (const [what, encode] of [
    ['is UTF-16LE', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['is UTF-16BE', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    [
      'holds zero bytes, like UTF-16 without its mark',
      (text: string) => Buffer.from(text, 'utf16le'),
    ],
    ['is not UTF-8', (text: string) => Buffer.from(text, 'latin1')],
  ] as const)
    it(`are refused by name where one ${what}`, async () => {
      await assert.rejects(load(SOURCE, encode(CITY)), {
        code: 'BAD_PROGRAM',
        message: `The source ${join(folder, 'city.js')} ${what}`,
        remedy: 'Save it as UTF-8.',
      });
    });
});

describe('what is no program is refused with what may be meant:', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-program-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const refused = async (name: string, message: string | RegExp, remedy: string | RegExp) =>
    assert.rejects(loadProgram(join(folder, name)), { code: 'BAD_PROGRAM', message, remedy });
  const notThere = (name: string, remedy: string) =>
    refused(name, `There is no program at ${join(folder, name)}`, remedy);

  it('a name that is mistyped, has another ending or none', async () => {
    for (const name of ['train.ts', 'train.d.ts', 'notes.md', 'serve.mjs'])
      await writeFile(join(folder, name), '');
    const meant = `Did you mean ${join(folder, 'train.ts')}?`;
    await notThere('trian.ts', meant);
    await notThere('train.js', meant);
    await notThere('train', meant);
    await notThere('regression.ts', `Check the path: ${folder} has serve.mjs, train.ts.`);
  });

  it('a folder that has no programs, or is not there', async () => {
    await notThere('train.ts', `Check the path: ${folder} has no programs.`);
    const missing = join(folder, 'src');
    await notThere('src/train.ts', `Check the path: ${missing} is no folder that can be read.`);
  });

  it('a text', async () => {
    await writeFile(join(folder, 'notes.md'), '# Notes\n');
    const message = `${join(folder, 'notes.md')} is no program: its name ends in .md`;
    await refused('notes.md', message, /ends in \.ts or \.js/);
  });

  it('a file that ends too early, without a blank line in what is said of it', async () => {
    await writeFile(join(folder, 'train.ts'), 'export default {\n');
    const message = /train\.ts:2:1: [^\n]* end of file$/;
    await refused('train.ts', message, 'Correct it at that place.');
  });
});
