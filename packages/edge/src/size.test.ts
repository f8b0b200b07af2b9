import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

describe('what a page loads', () => {
  it('is at most 10,000 bytes of minified JavaScript, without any dependency', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [fileURLToPath(new URL('index.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      metafile: true,
      write: false,
    });
    const { contents } = outputFiles[0]!;
    assert.ok(contents.length <= 10_000, `${contents.length} bytes`);
    for (const input of Object.keys(metafile.inputs)) assert.doesNotMatch(input, /node_modules/);
    for (const output of Object.values(metafile.outputs)) assert.deepEqual(output.imports, []);
  });
});
