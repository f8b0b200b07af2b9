import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTemporaryFolder, LINE, tutti } from '../testing.js';

const SHARED = fileURLToPath(new URL('../../fixtures/shared.ts', import.meta.url));

describe('tutti inspect', () => {
  it('shows what weights are made of, with totals', async () => {
    const { code, stdout, stderr } = await tutti(['inspect', SHARED]);
    assert.equal(code, 0, stderr);
    const lines = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(lines[0]!.slice(0, 6), [
      'weight',
      'kind',
      'shape',
      'elements',
      'stored',
      'ratio',
    ]);
    const row = (name: string) => lines.find(([first]) => first === name)!;
    // A filter is used at each of 6 x 6 places.
    assert.deepEqual(row('conv2d_1/kernel').slice(1, 7), [
      '-',
      '3 x 3 x 1 x 2',
      '18',
      '18',
      '1/1',
      '36',
    ]);
    assert.deepEqual(row('hidden/kernel').slice(1, 6), ['hashed', '72 x 8', '576', '72', '1/8']);
    assert.deepEqual(row('low/kernel').slice(1, 6), ['lowRank', '8 x 8', '64', '32', '1/2']);
    assert.equal(row('low/kernel').at(-1), 'apply');
    assert.equal(row('copy/kernel')[4], 'those of hidden/kernel');
    assert.match(stdout, /1,543 weights read 431 stored values: 3\.6 times fewer/);
  });

  it('gives the same as JSON, and a picture', () =>
    inTemporaryFolder(async (folder) => {
      const plot = join(folder, 'pattern.svg');
      const { code, json, stderr } = await tutti(['inspect', SHARED, '--json', '--plot', plot]);
      assert.equal(code, 0, stderr);
      const [inspected] = json();
      assert.equal(inspected!.event, 'inspected');
      assert.equal(inspected!.plot, plot);
      const weights = inspected!.weights as { own: number; wireBytesPerStep: number }[];
      assert.equal(
        weights.reduce((sum, { own }) => sum + own, 0),
        inspected!.stored,
      );
      assert.equal(inspected!.wireBytesPerStep, 8 * (inspected!.stored as number));
      // Adam keeps two values for each.
      assert.equal(inspected!.optimizerBytes, 8 * (inspected!.stored as number));
      assert.match(await readFile(plot, 'utf8'), /^<svg .*>hidden\/kernel<\/text>/s);
    }));

  it('knows programs without TensorFlow, and says where it cannot write', async () => {
    const { stdout } = await tutti(['inspect', LINE]);
    assert.match(stdout, /^ {2}slope +- +1 +1 +1 /m);
    const failed = await tutti(['inspect', LINE, '--plot', join(LINE, 'pattern.svg')]);
    assert.equal(failed.code, 1);
    assert.match(
      failed.stderr + failed.stdout,
      /Could not save to .*pattern\.svg: [\s\S]*name a folder/,
    );
  });

  it('refuses what is no program, and names what one throws', () =>
    inTemporaryFolder(async (folder) => {
      for (const [name, computation, message] of [
        ['none', 'undefined', /error BAD_PROGRAM: open\(\) returned undefined/],
        ['less', '{ ...line, parameters: [{ name: "w", shape: [-1] }] }', /BAD_PROGRAM: The shape/],
        ['held', '{ ...line, close() { throw new Error("held") } }', /FAILED: .* close\(\): held/],
      ] as const) {
        const program = join(folder, `${name}.ts`);
        await writeFile(
          program,
          `import line from ${JSON.stringify(LINE)};
          export default { ...line, open: () => (${computation}) };`,
        );
        const { code, stderr } = await tutti(['inspect', program]);
        assert.equal(code, 1);
        assert.match(stderr, message);
      }
    }));

  it('is told before training that is to be verbose', () =>
    inTemporaryFolder(async (folder) => {
      const args = ['train', LINE, '--workers', '0', '--steps', '1', '--checkpoint-dir', folder];
      const { code, stdout, stderr } = await tutti([...args, '--verbose']);
      assert.equal(code, 0, stderr);
      assert.match(stdout + stderr, /weight +kind +shape.*\n +slope/);
      const quiet = await tutti(args);
      assert.doesNotMatch(quiet.stdout + quiet.stderr, /weight +kind/);
    }));
});
