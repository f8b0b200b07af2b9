import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadingCode } from '@tutti/telemetry';
import { eachTest } from './each-test.js';
import { ONE_LAYER } from './one-layer.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const SERVICE = `
import { runLocal } from '@tutti/launch';

const events = [];
const training = runLocal('program.ts', { workers: 2 });
for await (const { event } of training) events.push(event);
const { digest, values } = await training.result;
const steps = events.filter((event) => event === 'step').length;
console.log(JSON.stringify({ digest, names: Object.keys(values), steps }));
`;

const LOAD = `console.log(JSON.stringify(parameters.map(({ name }) => name)));`;

describe('a project of its own', () => {
  const each = eachTest(import.meta.url);

  it('installs Tutti from a checkout, trains with its command, and in its own process', async () => {
    const cwd = each.folder.path;
    await each.folder.program(ONE_LAYER);
    await writeFile(join(cwd, 'service.mjs'), SERVICE);
    await writeFile(join(cwd, 'package.json'), '{ "private": true }');
    // As the README shows it.
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const [, folders] = /^npm install ([^`\n]+)$/m.exec(readme)!;
    const install = `npm install --offline --no-audit --no-fund ${folders!.replaceAll('../tutti/', root)}`;
    await run('sh', ['-c', install], { cwd });

    const tutti = join(cwd, 'node_modules', '.bin', 'tutti');
    const train = await run(tutti, ['train', 'program.ts', '--workers', '1', '--json'], { cwd });
    assert.equal(train.stderr, '');
    const last = JSON.parse(train.stdout.trimEnd().split('\n').at(-1)!);
    assert.deepEqual([last.event, last.steps], ['finished', 4]);

    // As the summary of a run shows it.
    await writeFile(join(cwd, 'load.mjs'), `${loadingCode(last.modelPath).join('\n')}\n${LOAD}`);
    const loaded = await run(process.execPath, ['load.mjs'], { cwd });
    assert.deepEqual(JSON.parse(loaded.stdout), ['dense_1/kernel', 'dense_1/bias']);

    const service = await run(process.execPath, ['service.mjs'], { cwd });
    const { digest, names, steps } = JSON.parse(service.stdout);
    assert.deepEqual([digest, steps], [last.digest, 4]);
    assert.deepEqual(names, ['dense_1/kernel', 'dense_1/bias']);
  });
});
