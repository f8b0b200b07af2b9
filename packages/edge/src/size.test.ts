import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The bytes of some modules of this package, as a page loads them. */
async function bytesOf(...modules: string[]): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: modules.map((module) => `export * from './${module}.ts';`).join('\n'),
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  for (const input of Object.keys(metafile.inputs)) assert.doesNotMatch(input, /node_modules/);
  for (const output of Object.values(metafile.outputs)) assert.deepEqual(output.imports, []);
  return outputFiles[0]!.contents.length;
}

describe('what a page loads', () => {
  it('is at most 10,000 bytes of minified JavaScript, without any dependency', async () => {
    const bytes = await bytesOf('index');
    assert.ok(bytes <= 10_000, `${bytes} bytes`);
  });

  it('is at most 3,000 bytes more where weights are computed', async () => {
    const more = (await bytesOf('index', 'sharing')) - (await bytesOf('index'));
    assert.ok(more <= 3000, `${more} bytes`);
  });
});
